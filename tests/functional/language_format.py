#!/usr/bin/env python3
"""Section 1 of the Dockerfile's language: the file's form, its directives, and what errors show."""
import sys

from support import case, expect, expect_equal, main


@case("a Dockerfile may be called dockerfile")
def lower_case_name(world):
    build = world.files_only(None, {"dockerfile": "FROM scratch\nLABEL a=1\n"})
    expect_equal(build.image.config["Labels"], {"a": "1"})


@case("a byte order mark and line ends of Windows are no text")
def windows_text(world):
    text = "\ufeffFROM scratch\r\nLABEL a=1 \\\r\n  b=2\r\nENV c=3\r\n"
    config = world.files_only(None, {"Dockerfile": text.encode()}).image.config
    expect_equal(config["Labels"], {"a": "1", "b": "2"})
    expect_equal(config["Env"][-1], "c=3")


@case("comments and empty lines inside a continuation are not part of it")
def continuation(world):
    build = world.files_only("FROM scratch\nLABEL a=1 \\\n# why b\n  # and c\n\n b=2 \\\n  c=#3\n")
    expect_equal(build.image.config["Labels"], {"a": "1", "b": "2", "c": "#3"})


@case("a line of 65535 bytes builds, and a longer one names its line")
def long_lines(world):
    value = "x" * (65535 - len("LABEL a="))
    build = world.files_only(f"FROM scratch\nLABEL a={value}\n")
    expect_equal(build.image.config["Labels"]["a"], value)
    world.refused(f"FROM scratch\nLABEL a={value}x\n",
                  texts=("Dockerfile:2: the line is longer than 65535 bytes", "> 2 | LABEL a=xxx", "hint: "))


@case("a file without instructions or without FROM says so")
def nothing(world):
    for text in ("", "# nothing\n\n"):
        world.refused(text, texts=("Dockerfile: the file has no instructions",))
    world.refused("ARG A\n", texts=("Dockerfile: the file has no FROM",))


@case("# escape=` makes the backtick the escape character, and the backslash an ordinary one")
def escape(world):
    build = world.files_only("# escape=`\nFROM scratch\nLABEL a=C:\\x `\n  b=`$x\n")
    expect_equal(build.image.config["Labels"], {"a": "C:\\x", "b": "$x"})


@case("Docker's own frontend is noted without a warning, any other with one")
def frontends(world):
    text = "# syntax={}\nFROM scratch\nLABEL a=1\n"
    own = world.files_only(text.format("docker/dockerfile:1.7"), None, "--verbosity=debug").succeeded()
    expect("the frontend docker/dockerfile:1.7 is built in" in own.err, own.said)
    for flags in ((), ("--build-arg=BUILDKIT_SYNTAX=docker/dockerfile:1",)):
        quiet = world.files_only(text.format("docker/dockerfile:1"), None, *flags).succeeded()
        expect("frontend" not in quiet.err, quiet.said)
    foreign = world.files_only(text.format("some/frontend"), None).succeeded()
    expect("Dockerfile:1: the frontend some/frontend is not run" in foreign.err, foreign.said)
    given = world.files_only("FROM scratch\nLABEL a=1\n", None, "--build-arg=BUILDKIT_SYNTAX=a/b").succeeded()
    expect("--build-arg BUILDKIT_SYNTAX: the frontend a/b is not run" in given.err, given.said)


@case("every kind of mistake shows file, line, excerpt and what to do")
def mistakes(world):
    for wrong, texts in (
            ("RNU x", ("unknown instruction RNU (did you mean RUN?)",)),
            ("COPY --form=a b c", ("COPY: unknown flag --form (did you mean --from?)",)),
            ("COPY --chown a b", ("COPY: the flag --chown needs a value",)),
            ("COPY --link --link a b", ("COPY: the flag --link is there twice",)),
            ("COPY a", ("COPY: needs a source and a destination", "hint: the destination is missing")),
            ("CMD [1]", ("a JSON array of words may hold nothing but strings",)),
            ("SHELL sh", ("SHELL: must be a JSON array", 'hint: SHELL ["/bin/sh", "-c"]')),
            ("ENV A", ("'A' has no value", "hint: write A=value")),
            ("LABEL a=1 b", ("'b' is not of the form name=value", "hint: a value with blanks needs quotes")),
            ("LABEL a=${b", ("cannot expand '${b': '}' is missing",)),
            ("LABEL a=${b:=c}", ("there is no modifier ':='",)),
            ("LABEL a=${b:?give-b}", ("Dockerfile:3: b: give-b",)),
            ("LABEL a='b", ("a single quote has no partner",)),
            ("RUN --mount=type=tmp x", ("--mount=type=tmp: type=tmp: must be one of", "(did you mean tmpfs?)")),
            ("RUN --mount=target=/a,sise=1 x", ("unknown key 'sise' in 'sise=1' (did you mean size?)",)),
            ("RUN --mount=target=/a,from=$b x", ("from=$b: must not hold a variable", "hint: name a stage with FROM")),
            ("RUN --network=hots x", ("--network=hots: must be one of default, none, host",)),
            ("HEALTHCHECK --interval=1 CMD x", ("--interval=1: must be a duration such as 30s",)),
            ("EXPOSE 80/http", ("EXPOSE: invalid protocol 'http' in '80/http'",)),
            ("STOPSIGNAL SIGNOPE", ("STOPSIGNAL: invalid signal 'SIGNOPE'", "hint: write a number")),
            ("ONBUILD FROM a", ("ONBUILD: FROM cannot be a trigger",)),
            ("COPY <<E /a", ("the heredoc <<E does not end", "hint: a line with nothing but E ends it")),
            ("COPY --chmod=9 a b", ("invalid chmod parameter: '9'",)),
            ("FROM a AS 1", ("FROM: '1' cannot be the name of a stage", "hint: a name starts with a letter")),
            ("FROM $none", ("base name ($none) should not be blank", "hint: only ARGs before the first FROM"))):
        text = f"FROM scratch\n# here\n{wrong}\n"
        place = f"  1 | FROM scratch\n  2 | # here\n> 3 | {wrong}"
        build = world.refused(text, texts=("error: Dockerfile:3: ", place, *texts))
        expect(len(build.error.splitlines()) <= 6, build.said)


@case("a mistake in a stage that nobody needs is one only where the text itself is wrong")
def unneeded(world):
    for step in ("RUN --mount=type=nope x", "EXPOSE x", "COPY --chmod=q a b", "LABEL a=${b:?c}"):
        world.files_only(f"FROM scratch AS a\n{step}\nFROM scratch\nLABEL a=1\n").succeeded()
    for step in ("RUN --network=nope x", "COPY a", "RUN --mount=from=$a,target=/a x"):
        world.refused(f"FROM scratch AS a\n{step}\nFROM scratch\nLABEL a=1\n",
                      texts=("Dockerfile:2: ", f"> 2 | {step}"))


if __name__ == "__main__":
    sys.exit(main())
