<?php
// Every function of PHP's sockets that a scenario has a verb for, once. Prints a line for each;
// argv: the address and the port of a TCP server and of a UDP echo.
[, $address, $tcp_port, $udp_port] = $argv;

function told(string $what, mixed $value): void
{
    echo $what, ': ', json_encode($value), "\n";
}

// A stream: create, set_option, get_option, bind, connect, getsockname, getpeername, write, select,
// recv, send, read, set_nonblock, last_error, strerror, clear_error, set_block, shutdown, close.
$stream = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
told('set_option', socket_set_option($stream, SOL_SOCKET, SO_KEEPALIVE, 1));
told('get_option', socket_get_option($stream, SOL_SOCKET, SO_KEEPALIVE));
told('bind', socket_bind($stream, $argv[4], 0));
told('connect', socket_connect($stream, $address, (int)$tcp_port));
socket_getsockname($stream, $own);
told('getsockname', $own === $argv[4]);
socket_getpeername($stream, $peer, $port);
told('getpeername', [$peer === $address, $port === (int)$tcp_port]);
told('write', socket_write($stream, "one\n"));
$read = [$stream];
$none = null;
told('select', socket_select($read, $none, $none, 5));
told('recv', [socket_recv($stream, $buffer, 4, MSG_WAITALL), $buffer]);
told('send', socket_send($stream, "two\n", 4, 0));
told('read', socket_read($stream, 1024, PHP_NORMAL_READ));
told('set_nonblock', socket_set_nonblock($stream));
told('would block', [@socket_recv($stream, $buffer, 4, 0), socket_last_error($stream) === SOCKET_EAGAIN]);
told('strerror', socket_strerror(SOCKET_EAGAIN));
socket_clear_error($stream);
told('clear_error', socket_last_error($stream));
told('set_block', socket_set_block($stream));
told('shutdown', socket_shutdown($stream, 1));
told('end of file', socket_read($stream, 1024));
socket_close($stream);

// Datagrams: sendto, recvfrom.
$datagrams = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
told('sendto', socket_sendto($datagrams, 'ping', 4, 0, $address, (int)$udp_port));
socket_recvfrom($datagrams, $buffer, 1024, 0, $from, $from_port);
told('recvfrom', [$buffer, $from === $address, $from_port === (int)$udp_port]);
socket_close($datagrams);

// A pair, with scatter and gather: create_pair, sendmsg, recvmsg.
socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
told('sendmsg', socket_sendmsg($pair[0], ['iov' => ['head', 'body']]));
$message = ['name' => [], 'buffer_size' => 1024, 'controllen' => 64];
told('recvmsg', [socket_recvmsg($pair[1], $message), $message['iov']]);

// A listener: create_listen, accept.
$listener = socket_create_listen(0);
socket_getsockname($listener, $any, $listening_port);
$client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
told('create_listen', socket_connect($client, '127.0.0.1', $listening_port));
told('accept', socket_accept($listener) instanceof Socket);
