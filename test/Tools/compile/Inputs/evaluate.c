/* Evaluates formulas of a manifest: what a launcher needs of them, and all of
   it. Each line of the input is `formula;name=value name=value ...`. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text;     /* what is left of the formula */
static const char *bindings; /* of sizes */

static void fail(const char *message) {
  fprintf(stderr, "%s at '%s'\n", message, text);
  exit(1);
}

static int64_t apply(char operation, int64_t a, int64_t b) {
  int64_t value = 0;
  if (operation == '+'   ? __builtin_add_overflow(a, b, &value)
      : operation == '-' ? __builtin_sub_overflow(a, b, &value)
                         : __builtin_mul_overflow(a, b, &value))
    fail("a value does not fit 64 bits");
  return value;
}

static int64_t floordiv(int64_t a, int64_t b) {
  if (b < 1)
    fail("a divisor is less than 1");
  return a / b - (a % b < 0);
}

static int accept(char token) {
  while (*text == ' ')
    ++text;
  return *text == token ? ++text, 1 : 0;
}

static int64_t sum(void);

static int64_t size(const char *name, size_t length) {
  for (const char *at = bindings; *at;) {
    size_t end = strcspn(at, " \n");
    if (end > length && !strncmp(at, name, length) && at[length] == '=')
      return strtoll(at + length + 1, NULL, 10);
    at += end + (at[end] != 0);
  }
  fail("unknown size");
  return 0;
}

static int64_t call(const char *name, size_t length) {
  int64_t v[3] = {0};
  int count = 0;
  do
    v[count++] = sum();
  while (count < 3 && accept(','));
  if (!accept(')'))
    fail("expected )");
#define IS(text) (length == strlen(text) && !strncmp(name, text, length))
  if (IS("select") && count == 3)
    return v[0] ? v[1] : v[2];
  if (count == 2) {
    if (IS("floordiv"))
      return floordiv(v[0], v[1]);
    if (IS("min"))
      return v[0] < v[1] ? v[0] : v[1];
    if (IS("max"))
      return v[0] > v[1] ? v[0] : v[1];
    if (IS("lt"))
      return v[0] < v[1];
    if (IS("eq"))
      return v[0] == v[1];
  }
  fail("unknown function");
  return 0;
}

static int64_t factor(void) {
  if (accept('(')) {
    int64_t value = sum();
    if (!accept(')'))
      fail("expected )");
    return value;
  }
  if (*text == '-' || isdigit((unsigned char)*text))
    return strtoll(text, (char **)&text, 10);
  const char *name = text;
  while (isalnum((unsigned char)*text) || *text == '_')
    ++text;
  size_t length = (size_t)(text - name);
  if (length == 0)
    fail("expected an operand");
  return accept('(') ? call(name, length) : size(name, length);
}

static int64_t product(void) {
  int64_t value = factor();
  while (accept('*'))
    value = apply('*', value, factor());
  return value;
}

static int64_t sum(void) {
  int64_t value = product();
  for (;;) {
    if (accept('+'))
      value = apply('+', value, product());
    else if (accept('-'))
      value = apply('-', value, product());
    else
      return value;
  }
}

int main(void) {
  static char line[1 << 20];
  while (fgets(line, sizeof line, stdin)) {
    char *end = strchr(line, ';');
    if (!end)
      return 1;
    *end = 0;
    text = line;
    bindings = end + 1;
    int64_t value = sum();
    if (*text)
      fail("expected an operator");
    printf("%" PRId64 "\n", value);
  }
  return 0;
}
