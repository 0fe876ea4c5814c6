// What Java's own classes make of the files an account comes with, and of the configuration that is printed for Java: the vendors'
// clients themselves are not here.
import com.sun.source.util.JavacTask;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

public class Keys {
    static Path directory;

    static byte[] der(String name) throws Exception {
        String text = Files.readString(directory.resolve(name)).replaceAll("-----[^-]+-----", "").replaceAll("\\s", "");
        return Base64.getDecoder().decode(text);
    }

    static PrivateKey privateKey(String name) throws Exception {
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der(name)));
    }

    static PublicKey publicKey(String name) throws Exception {
        return KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der(name)));
    }

    static X509Certificate certificate(String name) throws Exception {
        try (InputStream file = Files.newInputStream(directory.resolve(name))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }

    static void match(PrivateKey mine, PublicKey shown) throws Exception {
        Signature signing = Signature.getInstance("SHA256withRSA");
        signing.initSign(mine);
        signing.update("GET\n/v3/certificates\n".getBytes(StandardCharsets.UTF_8));
        byte[] signature = signing.sign();
        signing.initVerify(shown);
        signing.update("GET\n/v3/certificates\n".getBytes(StandardCharsets.UTF_8));
        if (!signing.verify(signature)) throw new IllegalStateException("the key and the certificate are not of one pair");
    }

    static void wechatpay(String mchid, String serial) throws Exception {
        PrivateKey mine = privateKey("apiclient_key.pem");
        X509Certificate shown = certificate("apiclient_cert.pem");
        match(mine, shown.getPublicKey());
        if (!shown.getSerialNumber().toString(16).equalsIgnoreCase(serial)) throw new IllegalStateException("serial");
        publicKey("pub_key.pem");
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(directory.resolve("apiclient_cert.p12"))) {
            store.load(file, mchid.toCharArray());
        }
        String alias = store.aliases().nextElement();
        match((PrivateKey) store.getKey(alias, mchid.toCharArray()), store.getCertificate(alias).getPublicKey());
    }

    static void alipay() throws Exception {
        PrivateKey mine = privateKey("app_private_key_pkcs8.txt");
        match(mine, certificate("app_cert.crt").getPublicKey());
        PublicKey told = publicKey("alipay_public_key.txt");
        X509Certificate platform = certificate("alipay_cert.crt");
        if (!platform.getPublicKey().equals(told)) throw new IllegalStateException("two platform keys");
        platform.verify(certificate("alipay_root_cert.crt").getPublicKey());
    }

    // Only parsed: what it names is in libraries that are not here.
    static void parse(String printed) throws Exception {
        String source = "class Shop { void configure() throws Exception {\n" + printed + "\n} }";
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///Shop.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignored) {
                return source;
            }
        };
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        JavacTask task = (JavacTask) ToolProvider.getSystemJavaCompiler().getTask(null, null, said, null, null, List.of(file));
        task.parse();
        if (!said.getDiagnostics().isEmpty()) throw new IllegalStateException(said.getDiagnostics().toString());
    }

    public static void main(String[] given) throws Exception {
        directory = Path.of(given[0]);
        if (given[1].equals("wechatpay")) wechatpay(given[2], given[3]);
        else alipay();
        parse(Files.readString(directory.resolve("printed.java")));
        System.out.println("{\"done\": true}");
    }
}
