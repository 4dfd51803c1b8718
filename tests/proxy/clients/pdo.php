<?php
// Logs in with PDO by the DSN that is its argument, once more with a persistent connection, and prints the user.
foreach ([false, true] as $persistent) {
    $options = [PDO::ATTR_PERSISTENT => $persistent, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION];
    $database = new PDO($argv[1], 'iam_user', '', $options);
    $query = $database->prepare('select current_user where 1 = ?');
    $query->execute([1]);
    echo $query->fetchColumn(), "\n";
}
