// node http.js PORT KIND [CERTIFICATES.pem KEY.pem]: HTTP/1.1 as Node has it by default, HTTP/2, or what of
// gRPC a health check asks for.
const fs = require('fs');
const [port, kind, certificates, key] = process.argv.slice(2);
const http2 = require('http2');
const options = certificates && { cert: fs.readFileSync(certificates), key: fs.readFileSync(key) };

function server() {
  if (kind === 'http1') {
    return require('http').createServer((request, response) => response.end('ok'));
  }
  const made = options ? http2.createSecureServer(options) : http2.createServer();
  made.on('stream', (stream) => {
    stream.on('error', () => {});
    if (kind !== 'grpc') {
      stream.respond({ ':status': 200 });
      stream.end('ok');
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '12' }));
    stream.end();
  });
  made.on('session', (session) => {
    session.on('error', () => {});
    if (kind === 'http2-idle') {
      session.setTimeout(1000, () => session.close());
    }
  });
  made.on('sessionError', () => {});
  return made;
}

server().listen(Number(port), '127.0.0.1');
