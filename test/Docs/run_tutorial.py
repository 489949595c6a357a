"""Runs the commands of a tutorial and compares what they print with what the page says.

    run_tutorial.py PAGE FOLDER    in FOLDER, which is made anew

A block behind a paragraph that ends in "into `NAME`:" is that file. In a block of the
language `console`, a line `$ COMMAND` is a command, and the lines behind it are what it
prints, errors included; `...` there stands for any text, and alone for any lines. A
command may fail only where it prints an error."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"(?:into\s+`(?P<name>[\w.]+)`:\s+)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.S | re.M)


def pattern_of(lines: "list[str]") -> str:
    pattern = ""
    for line in lines:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
    return pattern


def split_commands(text: str) -> "list[tuple[str, list[str]]]":
    commands: "list[tuple[str, list[str]]]" = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def run(command: str, expected: "list[str]", folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    if done.returncode and not any("error" in line for line in expected):
        sys.exit(f"$ {command}\n{done.stdout}failed with exit code {done.returncode}")
    if not re.fullmatch(pattern_of(expected), done.stdout):
        sys.exit(f"$ {command}\n{done.stdout}is not what the page says:\n" + "\n".join(expected))
    print(f"$ {command}")


def main(page: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    commands = 0
    for block in BLOCK.finditer(page.read_text()):
        if block["name"]:
            (folder / block["name"]).write_text(block["text"])
        elif block["language"] == "console":
            for command, expected in split_commands(block["text"]):
                run(command, expected, folder)
                commands += 1
    print(f"{commands} commands in {page.name}")


if __name__ == "__main__":
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    main(Path(sys.argv[1]), Path(sys.argv[2]))
