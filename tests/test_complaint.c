/* Complaints come out as they went in, cut where they are too long, the surplus left out. */
#include "control/complaint.h"

#include <string.h>

#include "tests/test.h"

static char buf[64 * 1024];

static const char *put(const struct complaints *c)
{
	struct json j;
	json_init(&j, buf, sizeof buf - 1);
	json_object_begin(&j);
	complaint_put(c, &j);
	json_object_end(&j);
	buf[json_done(&j).n] = 0;
	return buf;
}

static void words_and_text(void)
{
	static struct complaints c;
	CU_ASSERT_STRING_EQUAL(put(&c), "{\"complaints\":[]}");
	complaint_add(&c, true, "one", "%s has %u", "\"it\"", 2u);
	complaint_add(&c, false, "two", "\x1b");
	CU_ASSERT_STRING_EQUAL(put(&c),
			       "{\"complaints\":[{\"word\":\"one\",\"severity\":\"error\",\"text\":"
			       "\"\\\"it\\\" has 2\"},{\"word\":\"two\",\"severity\":\"warning\","
			       "\"text\":\"\\u001b\"}]}");
}

static void limits(void)
{
	static struct complaints c;
	char text[2 * COMPLAINT_TEXT_MAX];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	for (unsigned i = 0; i < 2 * COMPLAINT_MAX; i++)
		complaint_add(&c, true, "long", "%s", text);
	CU_ASSERT_EQUAL(c.n, COMPLAINT_MAX);
	CU_ASSERT_EQUAL(strlen(c.complaint[COMPLAINT_MAX - 1].text), COMPLAINT_TEXT_MAX - 1);
}

TEST_MAIN("complaint", TEST(words_and_text), TEST(limits))
