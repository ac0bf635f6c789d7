#!/bin/sh
# solution.sh LEVEL WAY: every way of solving a level that has to be accepted.
# A line `cause: ID` names the cause of a break.
tier() { # NETWORK NAME: one container of the image tier
  docker run -d --name "$2" --hostname "$2" --network "$1" tier
}
case "$1/$2" in
  07.1/short-form)
    docker run -d --name kiosk -p 127.0.0.1:8080:5000 poster ;;
  07.1/long-form)
    docker create --name kiosk --publish 127.0.0.1:8080:5000/tcp poster
    docker start kiosk ;;

  07.2/two-networks)
    docker network create front
    docker network create back
    tier front web
    tier back db
    tier front api
    docker network connect back api ;;
  07.2/back-first)
    docker network create back
    tier back api
    tier back db
    docker network create front
    docker network connect front api
    tier front web ;;

  07.3/capital)
    docker run -d --name many1 -P many ;;
  07.3/by-hand)
    docker run -d --name many1 -p 7001 -p 7002 -p 7003 -p 7004/udp many ;;

  07.4/other-words)
    echo 'cause: loopback'
    docker rm -f shy1
    docker run -d --name shy1 -p 8081:5000 shy httpd -f -p 5000 -h /www ;;
  07.4/all-addresses)
    echo 'cause: loopback'
    docker rm -f shy1
    docker run -d --name shy1 -p 127.0.0.1:8081:5000 shy httpd -f -p 0.0.0.0:5000 -h /www ;;

  07.5/right-port)
    echo 'cause: no-listener'
    docker rm -f desk1
    docker run -d --name desk1 -p 8082:5000 desk ;;
  07.5/move-the-program)
    echo 'cause: no-listener'
    docker rm -f desk1
    docker run -d --name desk1 -p 8082:80 desk httpd -f -p 80 -h /www ;;

  07.6/buyer-comes)
    echo 'cause: no-common'
    docker network connect market buyer ;;
  07.6/seller-comes)
    echo 'cause: no-common'
    docker network connect street seller ;;

  07.7/own-network)
    echo 'cause: no-names'
    docker network create pair
    docker network connect pair left
    docker network connect pair right ;;
  07.7/right-first)
    echo 'cause: no-names'
    docker network create --driver bridge pair
    docker network connect pair right
    docker network connect pair left ;;

  07.8/default-network)
    echo 'cause: none'
    docker rm -f hermit1
    docker run -d --name hermit1 -p 8084:5000 hermit ;;
  07.8/own-network)
    echo 'cause: none'
    docker rm -f hermit1
    docker run -d --name hermit1 --network bridge -p 127.0.0.1:8084:5000 hermit ;;

  07.9/unsaid)
    echo 'cause: other-address'
    docker rm -f gate1
    docker run -d --name gate1 -p 8085:5000 gate ;;
  07.9/loopback)
    echo 'cause: other-address'
    docker rm -f gate1
    docker run -d --name gate1 -p 127.0.0.1:8085:5000 gate ;;

  07.10/with-a-port)
    echo 'cause: not-published'
    docker rm -f note1
    docker run -d --name note1 -p 8086:5000 note ;;
  07.10/this-machine-only)
    echo 'cause: not-published'
    docker rm -f note1
    docker run -d --name note1 -p 127.0.0.1:8086:5000 note ;;

  07.11/unsaid)
    echo 'cause: wrong-protocol'
    docker rm -f talk1
    docker run -d --name talk1 -p 8087:5000 talk ;;
  07.11/said)
    echo 'cause: wrong-protocol'
    docker rm -f talk1
    docker run -d --name talk1 -p 8087:5000/tcp talk ;;

  07.12/its-own-words)
    echo 'cause: stopped'
    docker rm -f lamp1
    docker run -d --name lamp1 -p 8089:5000 lamp ;;
  07.12/words-that-stay)
    echo 'cause: stopped'
    docker rm -f lamp1
    docker run -d --name lamp1 -p 8089:5000 lamp httpd -f -p 5000 -h /www ;;

  07.13/by-name)
    echo 'cause: internal'
    docker network connect bridge safe1 ;;
  07.13/by-id)
    echo 'cause: internal'
    docker network connect "$(docker network ls -q --filter name=bridge)" safe1 ;;

  07.14/next-port)
    echo 'cause: taken'
    docker rm twin2
    docker run -d --name twin2 --hostname twin2 -p 8092:5000 twin ;;
  07.14/this-machine-only)
    echo 'cause: taken'
    docker rm -f twin2
    docker run -d --name twin2 --hostname twin2 -p 127.0.0.1:8092:5000 twin ;;
  *) echo "no such way: $1 $2"; exit 2 ;;
esac
