// A TLS server on the JDK's own stack, with everything switched on that it still contains:
// SSLv3 to TLS 1.3, RC4, DES, 3DES, EXPORT, NULL and anonymous suites.
//
// Run from source: java JsseServer.java PORT KEYSTORE PASSWORD PROTOCOLS SUITES CLIENT-AUTH
//   PROTOCOLS    comma-separated JSSE names
//   SUITES       comma-separated JSSE names, or ALL
//   CLIENT-AUTH  none, want or need
// It listens on the loopback only, and prints the suites that it accepts.

import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

public class JsseServer {
    public static void main(String[] args) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Security.setProperty("jdk.tls.legacyAlgorithms", "");
        Security.setProperty("jdk.certpath.disabledAlgorithms", "");
        int port = Integer.parseInt(args[0]);
        char[] password = args[2].toCharArray();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = new FileInputStream(args[1])) {
            keys.load(file, password);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
        managers.init(keys, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), new TrustManager[] {new Anyone()}, null);
        SSLServerSocket server =
                (SSLServerSocket)
                        context.getServerSocketFactory()
                                .createServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
        server.setEnabledProtocols(args[3].split(","));
        server.setEnabledCipherSuites(
                args[4].equals("ALL") ? server.getSupportedCipherSuites() : args[4].split(","));
        server.setNeedClientAuth(args[5].equals("need"));
        if (args[5].equals("want")) {
            server.setWantClientAuth(true);
        }
        System.out.println("protocols " + Arrays.toString(server.getEnabledProtocols()));
        System.out.println("suites " + Arrays.toString(server.getEnabledCipherSuites()));
        while (true) {
            SSLSocket client = (SSLSocket) server.accept();
            Thread thread = new Thread(() -> serve(client));
            thread.setDaemon(true);
            thread.start();
        }
    }

    private static void serve(SSLSocket client) {
        try (client) {
            client.setSoTimeout(30_000);
            client.startHandshake();
            client.getInputStream().read(new byte[4096]);
            OutputStream out = client.getOutputStream();
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n".getBytes());
            out.flush();
        } catch (Exception e) {
            System.out.println(e);
        }
    }

    private static final class Anyone implements X509TrustManager {
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
