"""The faults the independent server of the SSL method can be told to commit, beside those of misbehaviour.py.

A switch is `NAME[@STAGE][=VALUE]`. Stages, in order: choice, handshake, options, subauth, reply, data, close.
The first frame of a stage is the faulty one; of data the number `frame-number=N`, counted from 0, default 1.

at every stage
    close@STAGE         FIN instead of the frame             reset@STAGE     RST instead of it
    stall@STAGE         nothing, until the client goes       cut@STAGE=N     only the first N octets, then FIN
    version@STAGE=HEX   another first octet                  state@STAGE=HEX another second octet
    alter@STAGE         the last octet inverted              clear@STAGE     the plaintext itself in the frame
    none@STAGE          a frame of LEN 0 before it (allowed in states 1 to 3)
choice
    method=HEX          this method, whatever was offered
options
    options=HEX         these octets for the reply, LEN included
subauth
    subauth-method=HEX  this method, whatever was offered    subauth-status=HEX  this status
    subauth-reply=HEX   these octets for the answer of the method
    chap-two            algorithm and challenge in two messages (allowed)
    chap-algorithm=HEX  this algorithm                       chap-challenge=N    octets of challenge
    chap-empty          a message of no attributes           chap-no-mutual      their challenge ignored (allowed)
    chap-impostor       another password's answer to it
data
    regress             all of it in STATE 1                 key-update          before the frame (allowed)
    tickets             before it, in STATE 1 (allowed)      renegotiate         a HelloRequest before it
close
    no-notify           FIN alone                            empty-close         `01 04 00 00`, then FIN
    fin                 FIN right behind close_notify (allowed)
    talk-on             data after it
reply
    rep=N  rep-short=N  atyp=N  reply-version=HEX            as of misbehaviour.py
    join                the reply shares its record with data (allowed)
    bound  name-source  end-after  lose  double  swap        as of misbehaviour.py
    hold                reply, data and close_notify in one go, once the target has said it all (allowed)
"""

from support.misbehaviour import Misbehaviour

STAGES = ("choice", "handshake", "options", "subauth", "reply", "data", "close")
STAGED = ("close", "reset", "stall", "cut", "version", "state", "alter", "clear", "none")
PLAIN = ("method", "options", "subauth-method", "subauth-status", "subauth-reply", "chap-two", "chap-algorithm",
         "chap-challenge", "chap-empty", "chap-no-mutual", "chap-impostor", "frame-number", "regress", "key-update",
         "tickets", "renegotiate", "no-notify", "empty-close", "fin", "talk-on", "rep", "rep-short", "atyp", "reply-version", "join", "hold",
         "split", "plaintext", "fill", "bound", "name-source", "end-after", "lose", "double", "swap")


class SslMisbehaviour(Misbehaviour):
    STAGES, STAGED, PLAIN = STAGES, STAGED, PLAIN
