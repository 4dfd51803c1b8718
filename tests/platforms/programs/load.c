/*
 * Loads a library, as Node or a JVM does, and looks up its entry point: load LIBRARY SYMBOL. In a
 * host for Node, the functions that the library needs of Node are here, and do nothing.
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
    void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;

    if (!library || !dlsym(library, argv[2])) {
        fprintf(stderr, "%s\n", argc == 3 ? dlerror() : "usage: load LIBRARY SYMBOL");
        return 1;
    }
    printf("loaded\n");
    return 0;
}
