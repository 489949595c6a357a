# Writes the text of INPUT into OUTPUT as a string of C++.
file(READ "${INPUT}" text)
file(WRITE "${OUTPUT}" "R\"text(${text})text\"\n")
