"""Instructions become images: the cache, COPY, RUN, and one image for every step."""
