# A DHCP client of a few lines (RFC 2131), in no way related to the server under test: asks on the interface argv[1]
# as each of the hardware addresses argv[2:], after messages that are none, and prints what it was told as JSON.

import json, os, random, socket, struct, sys

interface = sys.argv[1].encode()
COOKIE = bytes([99, 130, 83, 99])

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface + b'\0')
s.bind(('', 68))
s.settimeout(2)


def send(data):
    s.sendto(data, ('255.255.255.255', 67))


def message(hardware, xid, kind, options=b''):
    head = struct.pack('!BBBBIHH4s4s4s4s16s64s128s', 1, 1, 6, 0, xid, 0, 0x8000, b'', b'', b'', b'', hardware, b'', b'')
    return head + COOKIE + bytes([53, 1, kind]) + options + b'\xff'


def receive(xid):
    while True:
        data, (source, port) = s.recvfrom(2048)
        if struct.unpack('!I', data[4:8])[0] != xid:
            continue
        options, at = {}, 240
        while data[at] != 255:
            options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
        address = lambda bytes: socket.inet_ntoa(bytes) if len(bytes) == 4 else None
        return {
            'op': data[0], 'type': options[53][0], 'from': [source, port], 'yours': address(data[16:20]),
            'server': address(options[54]), 'mask': address(options.get(1, b'')), 'router': address(options.get(3, b'')),
            'lease': int.from_bytes(options.get(51, b''), 'big'), 'client': data[28:34].hex(),
        }


def ask(question, xid):
    """As often as it takes: nobody promises that a datagram arrives."""
    for _ in range(8):
        send(question)
        try:
            return receive(xid)
        except TimeoutError:
            pass
    sys.exit('no answer')


good = message(bytes(6), 1, 1)
for length in range(0, 241, 8):
    send(good[:length])
send(b'')
send(os.urandom(60000))
send(good[:240] + bytes([53, 200, 1]))   # an option longer than the message
send(good[:240] + bytes([50]))           # one without its length
send(message(bytes(6), 1, 3, bytes([50, 1, 7, 54, 0])))  # addresses that are none
send(good[:2] + b'\xff' + good[3:])      # a hardware address of 255 bytes
send(b'\x02' + good[1:])                 # an answer

told = []
for text in sys.argv[2:]:
    hardware = bytes.fromhex(text)
    xids = [random.getrandbits(32) for _ in range(4)]
    offer = ask(message(hardware, xids[0], 1), xids[0])
    wanted = bytes([50, 4]) + socket.inet_aton(offer['yours'])
    server = bytes([54, 4]) + socket.inet_aton(offer['server'])
    refused = ask(message(hardware, xids[1], 3, bytes([50, 4, 10, 9, 9, 9]) + server), xids[1])
    send(message(hardware, xids[2], 3, wanted + bytes([54, 4, 10, 9, 9, 9])))  # for another server
    told.append([offer, refused, ask(message(hardware, xids[3], 3, wanted + server), xids[3])])
print(json.dumps(told))
