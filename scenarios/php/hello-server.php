<?php
// A server as in the introductions to sockets: one client after the other, for ever.
$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_bind($socket, '127.0.0.1', 8080);
socket_listen($socket);

while (true) {
    $client = socket_accept($socket);
    $input = socket_read($client, 1024);
    echo "Received: $input\n";
    $output = 'Hello from server!';
    socket_write($client, $output, strlen($output));
    socket_close($client);
}

socket_close($socket);
