#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
# A line `cause: ID` names the cause of a break.
case "$1/$2" in
  10.1/entrypoint-and-cmd)
    docker build -t h - <<'END'
FROM busybox
ENTRYPOINT ["echo"]
CMD ["Hello World"]
END
    ;;
  10.1/printf)
    docker build -t h - <<'END'
FROM busybox
ENTRYPOINT ["printf", "%s\\n"]
CMD ["Hello World"]
END
    ;;
  10.1/default-in-the-shell)
    docker build -t h - <<'END'
FROM busybox
ENTRYPOINT ["sh", "-c", "echo \"${1:-Hello World}\"", "greet"]
END
    ;;

  10.2/exec)
    docker build -t shop - <<'OUTER'
FROM shop
COPY --chmod=755 <<'END' /start.sh
#!/bin/sh
mkdir -p /run/shop
exec "$@"
END
OUTER
    ;;
  10.2/pass-it-on)
    docker build -t shop - <<'OUTER'
FROM shop
COPY --chmod=755 <<'END' /start.sh
#!/bin/sh
mkdir -p /run/shop
"$@" &
trap 'kill -TERM $!' TERM
wait $!
END
OUTER
    ;;
  10.2/no-script)
    docker build -t shop - <<'OUTER'
FROM shop
RUN mkdir -p /run/shop
ENTRYPOINT []
CMD ["/serve.sh"]
OUTER
    ;;

  10.3/entrypoint-flag)
    echo 'cat /note' | docker run -i --name look --entrypoint sh vault ;;
  10.3/no-entrypoint)
    echo 'cat /note' | docker run -i --name look --entrypoint '' vault /bin/sh ;;

  10.4/exec-in-the-shell)
    echo 'cause: shell-form'
    docker build -t door - <<'END'
FROM door
ENTRYPOINT ["/bin/sh", "-c", "echo welcome; exec /serve.sh"]
END
    ;;
  10.4/greeting-in-the-program)
    echo 'cause: shell-form'
    docker build -t door - <<'END'
FROM door
RUN sed -i 's/echo open/echo welcome; echo open/' /serve.sh
ENTRYPOINT ["/serve.sh"]
END
    ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
