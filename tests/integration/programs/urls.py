"""urllib: GET of URL and POST of the same body to URL2; says the digests."""

import hashlib
import sys
import urllib.request

from common import say

with urllib.request.urlopen(sys.argv[1]) as answer:
    body = answer.read()
with urllib.request.urlopen(urllib.request.Request(sys.argv[2], data=body, method="POST")) as answer:
    echoed = answer.read().decode().strip()
say(octets=len(body), sha256=hashlib.sha256(body).hexdigest(), uploaded=echoed)
