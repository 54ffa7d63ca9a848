// Signal-driven I/O (fcntl(2), socket(7)): who is signalled about a descriptor, with which signal,
// and whether at all. All of it belongs to the open file, which duplicates share.
#pragma once

namespace eagain::sys {

// F_SETOWN_EX and F_GETOWN_EX: the field that F_SETOWN, FIOSETOWN and SIOCSPGRP set too, but free
// of F_GETOWN's riddle (a group below 4096 would come back as an error). 0 is nobody.
int set_owner(int fd, bool group, int id);
int get_owner(int fd, bool* group);

int set_signal(int fd, int signal);  // F_SETSIG: 0 is SIGIO without a siginfo
int get_signal(int fd);
int set_async(int fd, bool on);  // O_ASYNC, as FIOASYNC sets it
int get_async(int fd);

int at_mark(int fd);  // sockatmark(3): 1 or 0

}  // namespace eagain::sys
