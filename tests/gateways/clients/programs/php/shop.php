<?php
// What both of PHP's programs have: a line to the test, and errors where PHP would go on with a warning.

declare(strict_types=1);

set_error_handler(static function (int $severity, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $severity, $file, $line);
});

/** Have something done elsewhere. */
function ask(array $what): array
{
    fwrite(STDOUT, json_encode($what, JSON_UNESCAPED_UNICODE) . "\n");
    return json_decode(fgets(STDIN), true, flags: JSON_THROW_ON_ERROR);
}

/** An answer: its status, its headers by their small names, and its body. */
function sent(string $method, string $url, array $headers, string $body): array
{
    $options = ['method' => $method, 'header' => $headers, 'content' => $body, 'ignore_errors' => true];
    $answer = file_get_contents($url, false, stream_context_create(['http' => $options]));
    $found = [];
    foreach (array_slice($http_response_header, 1) as $line) {
        [$name, $value] = explode(':', $line, 2);
        $found[strtolower($name)] = trim($value);
    }
    return [(int) explode(' ', $http_response_header[0])[1], $found, $answer];
}

function must(bool $holds, string $what): void
{
    if (!$holds) {
        throw new RuntimeException($what);
    }
}
