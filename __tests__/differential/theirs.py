# The cases through Python's socket module. Reads {"tag", "cases", "file"} and writes the outcomes, both as JSON.
# ours.ts is the same in this library's words; each speaks as little of its own as it can.
import errno, fcntl, json, os, select, socket, struct, sys

AF_PACKET, AF_NETLINK, AF_VSOCK = 17, 16, 40
MAPPED = '::ffff:'
TRUNC, CMSG_CLOEXEC = 0x20, 0x40000000
POLLS = (('r', select.POLLIN), ('w', select.POLLOUT), ('p', select.POLLPRI),
         ('e', select.POLLERR), ('h', select.POLLHUP))


class Case:
    def __init__(self, tag, file):
        self.tag, self.file, self.sockets, self.labels = tag, file, {}, {}

    # Addresses: this library's plain objects, and Python's tuples.
    def encode(self, address):
        if address is None:
            return None
        if 'of' in address:
            return self.sockets[address['of']].getsockname()
        family = address['family']
        if family == 'unix':
            path = address['path'].replace('%', self.tag)
            return path.encode() if path.startswith('\0') else path
        if family == 'IPv4':
            return (address['address'], address['port'])
        if family == 'IPv6':
            return (address['address'], address['port'], address.get('flowLabel', 0), address.get('scopeId', 0))
        if family == 'packet':
            return (socket.if_indextoname(address['interface']), address['protocol'])
        if family == 'netlink':
            return (address['pid'], address['groups'])
        raise TypeError(family)

    def decode(self, s, name):
        if s.family == socket.AF_UNIX:
            path = name.decode('latin1') if isinstance(name, bytes) else (name or '')
            return ['unix', self.label(path.replace(self.tag, '%'))]
        if name is None or name == '' or name == b'':
            return None
        if s.family == socket.AF_INET:
            return ['IPv4', name[0], self.label(name[1])]
        if s.family == socket.AF_INET6:
            if name[0].startswith(MAPPED):
                return ['IPv4', name[0][len(MAPPED):], self.label(name[1])]
            return ['IPv6', name[0].split('%')[0], self.label(name[1]), name[3]]
        if s.family == AF_PACKET:
            index = socket.if_nametoindex(name[0]) if name[0] else 0
            return ['packet', index, name[1], name[2], name[3], name[4].hex()]
        if s.family == AF_NETLINK:
            return ['netlink', self.label(name[0]), name[1]]
        return ['other']

    # What the kernel chose goes by the name of the socket that has it.
    def label(self, value):
        return self.labels.get(value, value)

    def learn(self, name):
        try:
            where = self.sockets[name].getsockname()
        except (OSError, KeyError):
            return
        s = self.sockets[name]
        if s.family in (socket.AF_INET, socket.AF_INET6) and s.type != socket.SOCK_RAW:
            key = where[1]
        elif s.family == AF_NETLINK:
            key = where[0]
        elif s.family == socket.AF_UNIX and isinstance(where, bytes) and self.tag not in where.decode('latin1'):
            key = where.decode('latin1')
        else:
            return
        if key:
            self.labels.setdefault(key, 'of ' + name)

    def keep(self, name, s):
        s.setblocking(False)
        if name in self.sockets:
            self.sockets[name].close()
        self.sockets[name] = s

    def waiting(self, s, events, call):
        poll = select.poll()
        poll.register(s, events)
        while True:
            try:
                return call()
            except BlockingIOError:
                if not poll.poll(200):
                    raise TimeoutError

    # The steps, by name.
    def open(self, name, domain, kind, protocol):
        self.keep(name, socket.socket(domain, kind, protocol))

    def pair(self, one, two, kind, protocol):
        a, b = socket.socketpair(socket.AF_UNIX, kind, protocol)
        self.keep(one, a)
        self.keep(two, b)

    def bind(self, name, address):
        self.sockets[name].bind(self.encode(address))

    def listen(self, name, backlog):
        self.sockets[name].listen(backlog)

    def connect(self, name, address):
        s = self.sockets[name]
        result = s.connect_ex(self.encode(address))
        if result == errno.EINPROGRESS:
            poll = select.poll()
            poll.register(s, select.POLLOUT)
            if not poll.poll(2000):
                raise TimeoutError
            result = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result != 0:
            raise OSError(result, '')

    def accept(self, name, new):
        self.keep(new, self.waiting(self.sockets[name], select.POLLIN, self.sockets[name].accept)[0])

    def tryAccept(self, name, new):
        self.keep(new, self.sockets[name].accept()[0])

    def dup(self, name, new):
        self.keep(new, self.sockets[name].dup())

    def send(self, name, data, flags):
        return self.sockets[name].send(bytes.fromhex(data), flags)

    def sendto(self, name, data, address, flags):
        return self.sockets[name].sendto(bytes.fromhex(data), flags, self.encode(address))

    def sendmsg(self, name, pieces, address, flags):
        data = [bytes.fromhex(piece) for piece in pieces]
        return self.sockets[name].sendmsg(data, [], flags, self.encode(address))

    def fill(self, name, size):
        for _ in range(20000):
            try:
                self.sockets[name].send(b'x' * size)
            except BlockingIOError:
                return 'full'
        return 'never'

    def tryRecv(self, name, size, flags):
        room = bytearray(size)
        got = self.sockets[name].recv_into(room, 0, flags)
        return bytes(room[:got]).hex()

    def recv(self, name, size, flags):
        return self.waiting(self.sockets[name], select.POLLIN, lambda: self.tryRecv(name, size, flags))

    def recvExactly(self, name, size):
        data = ''
        while len(data) < 2 * size:
            more = self.recv(name, size - len(data) // 2, 0)
            if more == '':
                break
            data += more
        return data

    def recvmsg(self, name, sizes, flags):
        s = self.sockets[name]
        rooms = [bytearray(size) for size in sizes]
        extra = 0 if s.type == socket.SOCK_STREAM else TRUNC
        length, _, got, who = self.waiting(
            s, select.POLLIN, lambda: s.recvmsg_into(rooms, 0, flags | extra))
        data = b''.join(rooms)[:length]
        return [data.hex(), length, got & ~CMSG_CLOEXEC, self.sender(s, who)]

    def sender(self, s, who):
        if s.family == socket.AF_UNIX and not who:
            return ['unix', ''] if s.type == socket.SOCK_DGRAM else None
        return self.decode(s, who)

    def wait(self, name):
        poll = select.poll()
        poll.register(self.sockets[name], select.POLLIN | select.POLLPRI)
        if not poll.poll(2000):
            raise TimeoutError

    def ready(self, name, events):
        poll = select.poll()
        poll.register(self.sockets[name], sum(bit for letter, bit in POLLS if letter in events))
        got = dict(poll.poll(0)).get(self.sockets[name].fileno(), 0)
        return ''.join(letter for letter, bit in POLLS if got & bit)

    def shutdown(self, name, how):
        self.sockets[name].shutdown({'read': 0, 'write': 1, 'both': 2}[how])

    def getsockname(self, name):
        return self.decode(self.sockets[name], self.sockets[name].getsockname())

    def getpeername(self, name):
        return self.decode(self.sockets[name], self.sockets[name].getpeername())

    def getsockopt(self, name, level, option, length):
        return self.sockets[name].getsockopt(level, option, length).hex()

    def setsockopt(self, name, level, option, value):
        value = bytes.fromhex(value) if isinstance(value, str) else value
        self.sockets[name].setsockopt(level, option, value)

    def sockatmark(self, name):
        return struct.unpack('i', fcntl.ioctl(self.sockets[name], 0x8905, bytes(4)))[0] == 1

    def owner(self, name, kind, me):
        # F_SETOWN_EX, F_GETOWN_EX
        target = (os.getpid() if kind == 'pid' else os.getpgrp()) if me else 0
        fcntl.fcntl(self.sockets[name], 15, struct.pack('ii', 1 if kind == 'pid' else 2, target))
        got, who = struct.unpack('ii', fcntl.fcntl(self.sockets[name], 16, bytes(8)))
        return [{1: 'pid', 2: 'pgrp'}[got], who == target] if who else []

    def sendfile(self, name, offset, length):
        with open(self.file, 'rb') as file:
            return os.sendfile(self.sockets[name].fileno(), file.fileno(), offset, length)

    def close(self, name):
        self.sockets[name].close()


def outcome(case, step):
    name, *arguments = step
    try:
        value = getattr(case, name)(*arguments)
        for argument in arguments[:2]:
            if isinstance(argument, str):
                case.learn(argument)
        return 'ok' if value is None else value
    except TimeoutError as error:
        return 'ETIMEDOUT' if error.errno else 'timeout'
    except OSError as error:
        if error.errno is None:
            return 'misuse'
        name = errno.errorcode.get(error.errno, 'E%d' % error.errno)
        return 'EOPNOTSUPP' if name == 'ENOTSUP' else name
    except (OverflowError, TypeError, ValueError):
        return 'misuse'
    except KeyError:
        return 'no such socket'


def run(steps, tag, file):
    case = Case(tag, file)
    outcomes = [outcome(case, step) for step in steps]
    for s in case.sockets.values():
        s.close()
    return outcomes


batch = json.load(sys.stdin)
json.dump([run(steps, '%08x' % (batch['tag'] + i), batch['file']) for i, steps in enumerate(batch['cases'])], sys.stdout)
