#!/bin/sh
# A file is interesting, which is any exit code but 0, where it has all the words before it.
for file; do :; done
for word; do
  [ "$word" = "$file" ] || grep -qF -- "$word" "$file" || exit 0
done
exit 1
