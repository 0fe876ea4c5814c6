<?php
// Runs what is printed for PHP, word for word: an order is placed, paid by somebody and looked at, every answer verified.
//
// `WeChatPay\Builder` and `Rsa` are the names that wechatpay/wechatpay has; what they do is done here, with OpenSSL alone.

declare(strict_types=1);

namespace WeChatPay\Crypto {
    final class Rsa
    {
        public const KEY_TYPE_PUBLIC = 'public';
        public const KEY_TYPE_PRIVATE = 'private';

        public static function from(string $thing, string $type = self::KEY_TYPE_PRIVATE): \OpenSSLAsymmetricKey
        {
            $isPublic = $type === self::KEY_TYPE_PUBLIC;
            $key = $isPublic ? openssl_pkey_get_public($thing) : openssl_pkey_get_private($thing);
            must($key !== false, "$thing is no key: " . openssl_error_string());
            return $key;
        }
    }
}

namespace WeChatPay {
    final class Client
    {
        public function __construct(public readonly array $config)
        {
        }

        public function call(string $method, string $path, string $body): array
        {
            ['mchid' => $mchid, 'serial' => $serial] = $this->config;
            [$at, $nonce] = [(string) time(), bin2hex(random_bytes(16))];
            openssl_sign("$method\n/$path\n$at\n$nonce\n$body\n", $raw, $this->config['privateKey'], OPENSSL_ALGO_SHA256);
            $parts = ['mchid' => $mchid, 'nonce_str' => $nonce, 'signature' => base64_encode($raw)];
            $parts += ['timestamp' => $at, 'serial_no' => $serial];
            $told = implode(',', array_map(fn($name, $value) => "$name=\"$value\"", array_keys($parts), $parts));
            $headers = ["Authorization: WECHATPAY2-SHA256-RSA2048 $told", 'Content-Type: application/json'];
            $headers = [...$headers, 'Accept: application/json', 'User-Agent: shop'];
            [$status, $got, $answer] = sent($method, $this->config['base_uri'] . $path, $headers, $body);
            must($status === 200, "$status $answer");
            must(isset($this->config['certs'][$got['wechatpay-serial']]), 'signed with a key that is not configured');
            $signed = "{$got['wechatpay-timestamp']}\n{$got['wechatpay-nonce']}\n$answer\n";
            $signature = base64_decode($got['wechatpay-signature'], true);
            $key = $this->config['certs'][$got['wechatpay-serial']];
            must(openssl_verify($signed, $signature, $key, OPENSSL_ALGO_SHA256) === 1, 'the answer is not the platform\'s');
            return json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
        }
    }

    final class Builder
    {
        public static function factory(array $config): Client
        {
            return new Client($config);
        }
    }
}

namespace {
    require __DIR__ . '/shop.php';
    [, $printed, $appid, $apiV3Key] = $argv;
    require $printed;
    must(strlen($apiV3Key) === 32 && strlen($pay->config['secret']) === 32, 'the keys that both sides know');
    $number = 'PHP' . time();
    $order = ['appid' => $appid, 'mchid' => $pay->config['mchid'], 'description' => '面', 'out_trade_no' => $number];
    $order += ['notify_url' => 'http://127.0.0.1:9/told', 'amount' => ['total' => 1280]];
    $placed = $pay->call('POST', 'v3/pay/transactions/native', json_encode($order, JSON_UNESCAPED_UNICODE));
    ask(['do' => 'pay', 'code' => $placed['code_url']]);
    $found = $pay->call('GET', "v3/pay/transactions/out-trade-no/$number?mchid={$pay->config['mchid']}", '');
    fwrite(STDOUT, json_encode(['done' => true, 'state' => $found['trade_state']]) . "\n");
}
