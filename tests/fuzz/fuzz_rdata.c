/* Any octets as data of a type: the text is one JSON string of printable ASCII, and TXT comes back. */
#include "control/rdata.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint16_t types[] = { 1, 12, 15, 16, 28, 99 };
	static char text[1 << 20];
	static uint8_t plain[1 << 20], back[1 << 20];
	struct json j;
	if (!n || n > 65536)
		return 0;
	uint16_t type = types[data[0] % 6];
	struct bytes in = bytes_of(data + 1, n - 1);
	rdata_txt(in, back);
	json_init(&j, text, sizeof text);
	rdata_put(&j, type, in);
	struct bytes out = json_done(&j);
	size_t len = 0;
	for (size_t i = 1; i + 1 < out.n; i++) { /* JSON's own escapes: \\ and \" */
		if (out.p[i] < ' ' || out.p[i] >= 0x7f)
			abort();
		i += out.p[i] == '\\';
		plain[len++] = out.p[i];
	}
	if (out.n < 2 || (type == 16 && (rdata_txt(bytes_of(plain, len), back) != in.n ||
					 memcmp(back, in.p, in.n) != 0)))
		abort();
	return 0;
}
