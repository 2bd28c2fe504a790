<?php
error_reporting(E_ALL);
set_time_limit(0);
$port = '12000';
$address = '127.0.0.1';

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
if ($socket === false) {
    echo 'socket_create: ' . socket_strerror(socket_last_error()) . "\n";
}
if (socket_connect($socket, $address, $port) === false) {
    echo 'socket_connect: ' . socket_strerror(socket_last_error($socket)) . "\n";
}
$in = "hello \r\n";
if (!socket_write($socket, $in, strlen($in))) {
    echo 'socket_write: ' . socket_strerror(socket_last_error($socket)) . "\n";
}
while ($out = socket_read($socket, 1024)) {
    echo "Received: $out";
}
socket_close($socket);
echo "closed\n";
