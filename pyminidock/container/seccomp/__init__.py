"""Which system calls a container may make, as a program that the kernel runs."""
