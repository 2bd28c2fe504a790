<?php
// What nginx asks php-fpm for: the page says how it was asked, and gives back what it was sent.
header('Content-Type: text/plain');
header('X-Answered-By: php');
echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], "\n";
echo 'Hello, ', $_GET['name'] ?? 'nobody', "!\n";
$body = file_get_contents('php://input');
echo strlen($body), ' octets: ', md5($body), "\n";
