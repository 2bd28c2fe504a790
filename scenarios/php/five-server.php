<?php
// A server for five clients, with the mistakes that it had where it was found: the failure of
// socket_accept is false, not a negative number; the fifth connection is never closed; and $sock,
// closed at the end, was never set.
error_reporting(E_ALL);
set_time_limit(0);
$address = '127.0.0.1';
$port = '12000';

if (($socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)) < 0) {
    echo 'socket_create: ' . socket_strerror(socket_last_error()) . "\n";
}
if (($ret = socket_bind($socket, $address, $port)) < 0) {
    echo 'socket_bind: ' . socket_strerror(socket_last_error()) . "\n";
}
if (($ret = socket_listen($socket, 4)) < 0) {
    echo 'socket_listen: ' . socket_strerror(socket_last_error()) . "\n";
}

$count = 0;
do {
    if (($client = socket_accept($socket)) < 0) {
        echo 'socket_accept: ' . socket_strerror(socket_last_error()) . "\n";
        break;
    } else {
        $message = "测试成功！\n";
        socket_write($client, $message, strlen($message));
        $buffer = socket_read($client, 8192);
        echo "Received: $buffer\n";
        if (++$count >= 5) {
            break;
        }
    }
    socket_close($client);
} while (true);

socket_close($sock);
