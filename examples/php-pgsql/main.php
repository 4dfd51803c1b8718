<?php
/*
 * Logs in to an RDS database from PHP, with pg_connect and a token instead of a password, and prints the
 * user.
 *
 * Reads libpq's variables as ../c-libpq does. Needs librdsign where pkg-config finds it, and the extensions
 * FFI and pgsql.
 */

function installed(string $variable): string
{
    return trim(shell_exec("pkg-config --variable=$variable rdsign"));
}

$rdsign = FFI::cdef(
    file_get_contents(installed('includedir') . '/rdsign.ffi.h'),
    installed('libdir') . '/librdsign.so.0'
);

/** Calls a function of the library that writes an object of this type, and returns the object. */
function made_by(FFI $rdsign, string $type, string $function, FFI\CData $argument): FFI\CData
{
    $made = $rdsign->new("$type *");
    $error = $rdsign->new('rdsign_error *');
    if ($rdsign->$function($argument, FFI::addr($made), FFI::addr($error)) !== $rdsign->RDSIGN_OK) {
        fwrite(STDERR, $rdsign->rdsign_error_message($error) . "\n");
        exit(1);
    }
    return $made;
}

$hostname = getenv('PGHOST');
$port = getenv('PGPORT') ?: '5432';
$username = getenv('PGUSER');

// Keep the signer for as long as the program makes connections.
$options = $rdsign->rdsign_options_new();
$rdsign->rdsign_options_set_hostname($options, $hostname);
$rdsign->rdsign_options_set_port($options, (int) $port);
$rdsign->rdsign_options_set_username($options, $username);
$signer = made_by($rdsign, 'rdsign_signer', 'rdsign_signer_new', $options);
$rdsign->rdsign_options_free($options);

// A token expires after at most 15 minutes, so each connection gets its own.
$token = made_by($rdsign, 'rdsign_token', 'rdsign_signer_token', $signer);
// A token is a password: never send it to another server. What is no parameter, a service may replace.
$parameters = [
    'host' => $hostname,
    'hostaddr' => getenv('PGHOSTADDR') ?: null,
    'port' => $port,
    'user' => $username,
    'sslmode' => 'verify-full',
    'sslrootcert' => getenv('PGSSLROOTCERT') ?: installed('cafile'),
    'gssencmode' => 'disable',
    'password' => $rdsign->rdsign_token_value($token),
];
$rdsign->rdsign_token_free($token);
$text = '';
foreach (array_filter($parameters) as $keyword => $value) {
    $text .= "$keyword='" . addcslashes($value, "'\\") . "' ";
}
$connection = pg_connect($text) or exit(1);
echo pg_fetch_result(pg_query($connection, 'select current_user'), 0, 0), "\n";
$rdsign->rdsign_signer_free($signer);
