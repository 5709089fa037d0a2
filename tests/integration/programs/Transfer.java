// GET of a URL and POST of the same body to another, by one of Java's ways:
// URLConnection|HttpClient|Socket|SocketChannel URL URL2.
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;

class Transfer {
    interface Way {
        byte[] transfer(URI url, byte[] body) throws Exception;  // no body: GET
    }

    static byte[] byUrlConnection(URI url, byte[] body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) url.toURL().openConnection();
        if (body != null) {
            connection.setRequestMethod("POST");
            connection.setDoOutput(true);
            connection.setFixedLengthStreamingMode(body.length);
            connection.getOutputStream().write(body);
        }
        try (InputStream answer = connection.getInputStream()) {
            return answer.readAllBytes();
        }
    }

    static byte[] byHttpClient(URI url, byte[] body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(url);
        if (body != null) {
            request.POST(HttpRequest.BodyPublishers.ofByteArray(body));
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofByteArray()).body();
    }

    static byte[] request(URI url, byte[] body) throws IOException {
        String head = (body == null ? "GET " : "POST ") + url.getRawPath() + " HTTP/1.0\r\nConnection: close\r\n"
            + (body == null ? "" : "Content-Length: " + body.length + "\r\n") + "\r\n";
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(head.getBytes(StandardCharsets.US_ASCII));
        if (body != null) {
            all.write(body);
        }
        return all.toByteArray();
    }

    static byte[] content(byte[] answer) {
        for (int at = 0; ; at++) {
            if (answer[at] == '\r' && answer[at + 1] == '\n' && answer[at + 2] == '\r' && answer[at + 3] == '\n') {
                return Arrays.copyOfRange(answer, at + 4, answer.length);
            }
        }
    }

    static byte[] bySocket(URI url, byte[] body) throws IOException {
        try (Socket socket = new Socket(url.getHost(), url.getPort())) {
            socket.getOutputStream().write(request(url, body));
            return content(socket.getInputStream().readAllBytes());
        }
    }

    /** Non-blocking throughout. */
    static byte[] bySocketChannel(URI url, byte[] body) throws IOException {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        ByteBuffer out = ByteBuffer.wrap(request(url, body));
        ByteBuffer in = ByteBuffer.allocateDirect(40_000);
        try (Selector selector = Selector.open(); SocketChannel channel = SocketChannel.open()) {
            channel.configureBlocking(false);
            channel.connect(new InetSocketAddress(url.getHost(), url.getPort()));
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            while (true) {
                selector.select();
                selector.selectedKeys().clear();
                if (key.isConnectable() && channel.finishConnect()) {
                    key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                }
                if (key.isWritable()) {
                    channel.write(out);
                    if (!out.hasRemaining()) {
                        key.interestOps(SelectionKey.OP_READ);
                    }
                }
                if (key.isReadable()) {
                    in.clear();
                    if (channel.read(in) < 0) {
                        return content(received.toByteArray());
                    }
                    byte[] piece = new byte[in.flip().remaining()];
                    in.get(piece);
                    received.write(piece);
                }
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Way way = switch (arguments[0]) {
            case "URLConnection" -> Transfer::byUrlConnection;
            case "HttpClient" -> Transfer::byHttpClient;
            case "Socket" -> Transfer::bySocket;
            default -> Transfer::bySocketChannel;
        };
        byte[] body = way.transfer(URI.create(arguments[1]), null);
        String uploaded = new String(way.transfer(URI.create(arguments[2]), body), StandardCharsets.US_ASCII).strip();
        String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        System.out.printf("{\"octets\": %d, \"sha256\": \"%s\", \"uploaded\": \"%s\"}%n", body.length, digest, uploaded);
    }
}
