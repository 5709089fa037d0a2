# A GET by print and readline on the socket's handle: HOST PORT PATH.
use strict;
use warnings;
use Digest::SHA;
use IO::Socket::INET;

my ($host, $port, $path) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => 'tcp') or die "connect: $@";
binmode $socket;
print $socket "GET $path HTTP/1.0\r\n", "\r\n";
$socket->flush;
while (defined(my $line = <$socket>)) {
    last if $line eq "\r\n";
}
my ($digest, $octets) = (Digest::SHA->new(256), 0);
while (defined(my $piece = <$socket>)) {
    $digest->add($piece);
    $octets += length $piece;
}
printf qq({"octets": %d, "sha256": "%s"}\n), $octets, $digest->hexdigest;
