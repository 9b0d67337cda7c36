"""What libspf2 says of the first COUNT cases of spf_cases, a result a line. Apart from its caller, which outlives it."""
import ctypes
import sys

sys.dont_write_bytecode = True
import spf_cases

POINTER, STRING, INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
TYPES = {"A": 1, "AAAA": 28, "MX": 15, "PTR": 12, "TXT": 16}
SUCCESS, TRY_AGAIN = 0, 2  # of netdb.h
# its zone tells upper case from lower, the DNS does not
WRITTEN = ["O'Hara.ex.test", "O%27Hara.ex.test", "UPPER.Case.ex.test", "H2.TEST", "H1.Test"]
CALLS = {"dns_zone_new": (POINTER, [POINTER, STRING, INT]), "dns_zone_add_str": (INT, [POINTER, STRING, INT, INT, STRING]),
         "server_new_dns": (POINTER, [POINTER, INT]), "server_free": (None, [POINTER]), "request_new": (POINTER, [POINTER]),
         "request_free": (None, [POINTER]), "request_set_ipv4_str": (INT, [POINTER, STRING]),
         "request_set_ipv6_str": (INT, [POINTER, STRING]), "request_set_helo_dom": (INT, [POINTER, STRING]),
         "request_set_env_from": (INT, [POINTER, STRING]), "response_result": (INT, [POINTER]), "strresult": (STRING, [INT]),
         "request_query_mailfrom": (INT, [POINTER, ctypes.POINTER(POINTER)]), "response_free": (None, [POINTER])}


class Libspf2:
    def __init__(self, zone):
        library = ctypes.CDLL("libspf2.so.2")
        for name, (result, arguments) in CALLS.items():
            function = getattr(library, "SPF_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.zone = zone
        self.common = [key for key in (*zone.records, *zone.errors) if key[1] in TYPES]
        self.common += [(name, "A") for name in WRITTEN] + [("alias.test", "A"), ("alias.test", "AAAA")]

    def fill(self, dns, keys):
        for name, kind in keys:
            values = self.zone.answer(name, kind)
            if isinstance(values, str):
                self.dns_zone_add_str(dns, name.encode(), TYPES[kind], TRY_AGAIN, None)
                continue
            for value in values:
                text = value if kind == "TXT" else value.rstrip(".")
                self.dns_zone_add_str(dns, name.encode(), TYPES[kind], SUCCESS, text.encode("latin-1"))

    def judge(self, case):
        dns = self.dns_zone_new(None, b"zone", 0)
        self.fill(dns, [*self.common, *((case.domain, kind) for kind in TYPES)])
        server = self.server_new_dns(dns, 0)
        request, response = self.request_new(server), POINTER()
        ip = case.ip.removeprefix("::ffff:")
        (self.request_set_ipv6_str if ":" in ip else self.request_set_ipv4_str)(request, ip.encode())
        self.request_set_helo_dom(request, case.helo.encode())
        if case.sender:
            self.request_set_env_from(request, case.sender.encode())
        self.request_query_mailfrom(request, ctypes.byref(response))
        result = self.strresult(self.response_result(response)).decode()
        self.response_free(response)
        self.request_free(request)
        return "permerror" if result == "(invalid)" else result  # what it says of a record it cannot compile


def main():
    zone = spf_cases.hosts()
    library = Libspf2(zone)
    for case in spf_cases.cases(zone, int(sys.argv[1])):
        print(library.judge(case), flush=True)


if __name__ == "__main__":
    main()
