# The calls that netrig_posix serves, for the linker's --wrap.
set(NETRIG_POSIX_CALLS
    socket socketpair bind listen accept accept4 connect shutdown close dup fcntl fcntl64 ioctl
    getsockname getpeername getsockopt setsockopt
    send sendto sendmsg write writev recv recvfrom recvmsg read readv
    __read_chk __recv_chk __recvfrom_chk
    poll __poll_chk ppoll select pselect epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    getaddrinfo freeaddrinfo gethostname
    clock_gettime gettimeofday time nanosleep clock_nanosleep usleep sleep)
