"""A verb is a story: run, exec, remove, inspect, explain, each told step by step.

recorder   stamps what the rooms tell, numbers it, fans it out
redaction  what must never leave: values of variables, credentials
rings      one for each listener; a slow one loses events, never our time
gates      hold a story at an event until somebody lets it go on
journals   stories as files, bounded
house      builds the rooms once; `kernels` chooses the kernel
run, execs, inspect, explain, reconcile    the stories
"""
