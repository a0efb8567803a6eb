// node server.js CERTIFICATES.pem KEY.pem PORT OPTIONS.json: ends every connection once it is up. For
// Node of any age.
var fs = require('fs');
var arguments_ = process.argv.slice(2);
var options = JSON.parse(arguments_[3]);
options.cert = fs.readFileSync(arguments_[0]);
options.key = fs.readFileSync(arguments_[1]);
var server = require('tls').createServer(options, function (socket) { socket.end(); });
// A client that does not shake hands is no reason to end.
['clientError', 'tlsClientError'].forEach(function (event) { server.on(event, function () {}); });
server.listen(Number(arguments_[2]), '127.0.0.1');
