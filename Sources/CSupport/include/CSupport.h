/* The little C that Swift cannot say; each function states why it is here. */
#ifndef CSUPPORT_H
#define CSUPPORT_H
#endif
