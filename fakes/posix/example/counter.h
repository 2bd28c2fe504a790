/* A small program to be tested: a counter behind UDP, as its authors wrote it for any POSIX system.
 * A request is "ID COMMAND [NUMBER]", a reply "ID TOTAL". HELLO and READ change nothing, ADD does.
 * Nothing in it knows of netrig. */
#ifndef COUNTER_H
#define COUNTER_H

#ifdef __cplusplus
extern "C" {
#endif

enum counter_retry {
  COUNTER_RETRY_NEW_ID,  /* as it was shipped: every try is a new request */
  COUNTER_RETRY_SAME_ID, /* as it was mended */
};

/* Greets, adds `amount`, reads the total back. 0, or -1 if nobody answered. */
int counter_add(const char* host, const char* port, long amount, enum counter_retry retry,
                long* total);

/* Serves until nobody has asked for three seconds. 0, or -1 with errno. */
int counter_serve(const char* port);

#ifdef __cplusplus
}
#endif

#endif
