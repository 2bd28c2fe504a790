#ifndef ASK_H
#define ASK_H
#ifdef __cplusplus
extern "C" {
#endif

/* Asks the server at host:port once a second until it answers, `tries` times at most. The number
 * of times it asked; -1 if nobody answered. */
int ask(const char* host, const char* port, int tries);

#ifdef __cplusplus
}
#endif
#endif
