#!/bin/sh
# wrong.sh LEVEL WAY: near misses that have to be refused; lesson.toml says with which words.
case "$1/$2" in
  10.1/unchanged | 10.2/unchanged) ;;
  10.1/only-cmd)
    printf 'FROM busybox\nCMD ["echo", "Hello World"]\n' | docker build -t h - ;;
  10.1/shell-form)
    printf 'FROM busybox\nENTRYPOINT echo Hello World\n' | docker build -t h - ;;

  10.2/stop-by-kill)
    printf 'FROM shop\nSTOPSIGNAL KILL\n' | docker build -t shop - ;;
  10.2/nothing-prepared)
    printf 'FROM shop\nENTRYPOINT []\nCMD ["/serve.sh"]\n' | docker build -t shop - ;;

  10.3/as-argument)
    docker run -i --name look vault sh ;;
  10.3/image-rebuilt)
    printf 'FROM vault\nENTRYPOINT ["sh"]\n' | docker build -t vault -
    docker run -i --name look vault ;;
  10.3/not-interactive)
    docker run --name look --entrypoint sh vault -c 'cat /note' ;;

  10.4/right-cause-no-fix)
    echo 'cause: shell-form' ;;
  10.4/wrong-cause)
    echo 'cause: grace'
    printf 'FROM door\nENTRYPOINT echo welcome; exec /serve.sh\n' | docker build -t door - ;;
  10.4/cause-not-named)
    printf 'FROM door\nENTRYPOINT echo welcome; exec /serve.sh\n' | docker build -t door - ;;
  10.4/greeting-lost)
    echo 'cause: shell-form'
    printf 'FROM door\nENTRYPOINT ["/serve.sh"]\n' | docker build -t door - ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
