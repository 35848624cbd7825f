# Each letter whose file is named, as Mail::DKIM judges it, by one line: "algorithm result" of each signature.
use strict;
use warnings;
use Mail::DKIM::Verifier;

for my $path (@ARGV) {
    open my $file, '<:raw', $path or die "$path: $!";
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->load($file);
    print join(' ', map { ($_->algorithm, $_->result) } $verifier->signatures), "\n";
}
