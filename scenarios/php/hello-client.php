<?php
$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_connect($socket, '127.0.0.1', 8080);
$message = 'Hello from client!';
socket_write($socket, $message, strlen($message));
$response = socket_read($socket, 1024);
echo "Received: $response\n";
socket_close($socket);
