#!/bin/sh
# Postfix 3.7, as Debian 12 has it, says of mail that it gave up for good "Action: failed" with "Status: 4.x.x": the code of its last
# try, of the class that RFC 3463 (section 2) calls a persistent transient failure, of which "sending in the future may be successful".
#
# What one would think: in a delivery status notification 5.x.x is final and 4.x.x is a delay that another notification follows. Whoever
# sorts by the class of the status never learns of mail to a server that was full or away until the queue's time was over: what tells is
# Action (RFC 3464, section 2.3.3), "delayed" while it is tried and "failed" when it is not.
#
# Needs Debian 12 and root (its own queue and port; no Postfix of the machine is touched). Takes about ten seconds.
set -eu
[ "$(id -u)" = 0 ] || { echo 'run as root' >&2; exit 2; }
folder=$(mktemp -d)
chmod 755 "$folder"
policy=/usr/sbin/policy-rc.d
made=''
sink=''
trap 'postfix -c "$folder/etc" stop >/dev/null 2>&1 || :; [ -z "$sink" ] || kill "$sink" 2>/dev/null || :; rm -rf "$folder"; [ -z "$made" ] || rm -f "$policy"' EXIT
[ -e "$policy" ] || { made=1; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; }
export DEBIAN_FRONTEND=noninteractive
command -v postfix >/dev/null || {
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends 'postfix=3.7.*' >/dev/null
}
dpkg-query --show postfix

cat >"$folder/sink.py" <<'P'
"""A mail server that is always too busy."""
import socket
import sys

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    with listening.accept()[0] as line, line.makefile("rw", newline="\r\n") as talk:
        def say(text):
            talk.write(f"{text}\n")
            talk.flush()
        say("220 busy.example.com ESMTP")
        for command in talk:
            word = command[:4].upper()
            say({"RCPT": "451 4.3.0 later", "QUIT": "221 bye"}.get(word, "250 ok"))
            if word == "QUIT":
                break
P
python3 "$folder/sink.py" >"$folder/port" &
sink=$!
while [ ! -s "$folder/port" ]; do sleep 0.1; done
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')

try() { # what else is set; prints Action and Status of what comes back
    postfix -c "$folder/etc" stop >/dev/null 2>&1 || :
    rm -rf "$folder/etc" "$folder/queue" "$folder/data" "$folder/box"
    mkdir "$folder/etc" "$folder/queue" "$folder/data" "$folder/box"
    chown postfix "$folder/data"
    chown 65534:65534 "$folder/box"
    cat >"$folder/etc/main.cf" <<C
compatibility_level = 3.6
queue_directory = $folder/queue
data_directory = $folder/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = example.org
virtual_mailbox_base = $folder
virtual_mailbox_maps = inline:{ { sender@example.org = box/ } }
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
transport_maps = inline:{ { example.com = smtp:[127.0.0.1]:$(cat "$folder/port") } }
smtp_dns_support_level = disabled
$1
C
    cat >"$folder/etc/master.cf" <<C
127.0.0.1:$port inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
C
    postfix -c "$folder/etc" start-fg >"$folder/log" 2>&1 &
    python3 - "$port" "$folder/box/new" <<'P'
import pathlib
import smtplib
import sys
import time

until = time.monotonic() + 30
while True:
    try:
        with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as server:
            server.sendmail("sender@example.org", ["jan@example.com"], "From: sender@example.org\r\nSubject: x\r\n\r\nx\r\n")
        break
    except OSError:
        if time.monotonic() > until:
            raise
        time.sleep(0.2)
box = pathlib.Path(sys.argv[2])
while not (box.is_dir() and list(box.iterdir())):
    if time.monotonic() > until:
        sys.exit("nothing came back")
    time.sleep(0.1)
lines = next(box.iterdir()).read_text().splitlines()
print(*(line for line in lines if line.startswith(("Action:", "Status:"))))
P
}

while_tried=$(try 'delay_warning_time = 1s')
given_up=$(try 'maximal_queue_lifetime = 0')
echo "while it is tried: $while_tried"
echo "when it is given up: $given_up"
[ "$while_tried" = 'Action: delayed Status: 4.3.0' ] || { echo 'CHANGED: a delay is said otherwise'; exit 1; }
[ "$given_up" = 'Action: failed Status: 4.3.0' ] || { echo 'CHANGED: what was given up has another status'; exit 1; }
echo 'AS FOUND: both have a status of class 4, and Action alone tells them apart'
