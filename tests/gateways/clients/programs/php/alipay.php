<?php
// Runs what is printed for PHP, word for word: an order is placed, paid by somebody and looked at, every answer verified.
//
// `Config` and `Factory` are the names that alipaysdk/easysdk has; what they do is done here, with OpenSSL alone.

declare(strict_types=1);

namespace Alipay\EasySDK\Kernel {
    final class Config
    {
        public $protocol;
        public $gatewayHost;
        public $appId;
        public $signType;
        public $alipayPublicKey;
        public $merchantPrivateKey;
        public $merchantCertPath;
        public $alipayCertPath;
        public $alipayRootCertPath;
        public $notifyUrl;
        public $encryptKey;
        public $httpProxy;
        public $ignoreSSL;
    }

    final class Factory
    {
        public static Config $config;

        public static function setOptions(Config $options): void
        {
            self::$config = $options;
        }
    }
}

namespace {
    use Alipay\EasySDK\Kernel\Factory;

    require __DIR__ . '/shop.php';
    [, $printed] = $argv;
    require $printed;

    function pem(string $kind, string $bare): string
    {
        return "-----BEGIN $kind-----\n" . wordwrap($bare, 64, "\n", true) . "\n-----END $kind-----\n";
    }

    /** What a method answers; encrypted both ways where that is asked for. */
    function call(string $method, array $content, bool $encrypted = false): array
    {
        $config = Factory::$config;
        $aes = base64_decode($config->encryptKey, true);
        $iv = str_repeat("\0", 16);
        $text = json_encode($content, JSON_UNESCAPED_UNICODE);
        $values = ['app_id' => $config->appId, 'method' => $method, 'format' => 'JSON', 'charset' => 'utf-8'];
        $values += ['sign_type' => $config->signType, 'timestamp' => date('Y-m-d H:i:s'), 'version' => '1.0'];
        $values += ['notify_url' => $config->notifyUrl];
        $values += $encrypted ? ['encrypt_type' => 'AES'] : [];
        $values['biz_content'] = $encrypted ? openssl_encrypt($text, 'aes-128-cbc', $aes, 0, $iv) : $text;
        ksort($values);
        $signed = implode('&', array_map(fn($name, $value) => "$name=$value", array_keys($values), $values));
        openssl_sign($signed, $raw, pem('RSA PRIVATE KEY', $config->merchantPrivateKey), OPENSSL_ALGO_SHA256);
        $body = http_build_query($values + ['sign' => base64_encode($raw)]);
        $url = "{$config->protocol}://{$config->gatewayHost}/gateway.do";
        $type = 'Content-Type: application/x-www-form-urlencoded;charset=utf-8';
        [$status, , $answer] = sent('POST', $url, [$type], $body);
        must($status === 200, "$status $answer");
        $head = '{"' . str_replace('.', '_', $method) . '_response":';
        must(str_starts_with($answer, $head), $answer);
        $end = strrpos($answer, ',"sign":"');
        $value = substr($answer, strlen($head), $end - strlen($head));
        $signature = base64_decode(json_decode($answer, true)['sign'], true);
        $public = pem('PUBLIC KEY', $config->alipayPublicKey);
        must(openssl_verify($value, $signature, $public, OPENSSL_ALGO_SHA256) === 1, 'the answer is not the gateway\'s');
        if ($encrypted) {
            $value = openssl_decrypt(json_decode($value), 'aes-128-cbc', $aes, 0, $iv);
        }
        $told = json_decode($value, true, flags: JSON_THROW_ON_ERROR);
        must($told['code'] === '10000', $answer);
        return $told;
    }

    $number = 'PHP' . time();
    $order = ['out_trade_no' => $number, 'total_amount' => '12.80', 'subject' => '面'];
    ask(['do' => 'pay', 'code' => call('alipay.trade.precreate', $order)['qr_code']]);
    $found = call('alipay.trade.query', ['out_trade_no' => $number], true);
    fwrite(STDOUT, json_encode(['done' => true, 'state' => $found['trade_status']]) . "\n");
}
