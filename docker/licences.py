"""Prints what is installed, with the licence of each."""  # noqa: INP001  a script

from importlib.metadata import Distribution, distributions


def licence(package: Distribution) -> str:
    metadata = package.metadata
    classified = [
        value.rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier", [])
        if value.startswith("License :: OSI Approved :: ")
    ]
    text = metadata.get("License-Expression") or ", ".join(classified)
    return text or metadata.get("License") or "see /usr/share/doc/sip-message-gateway/NOTICE"


def main() -> None:
    for package in sorted(distributions(), key=lambda one: one.name.lower()):
        print(f"{package.name} {package.version}: {licence(package).splitlines()[0]}")  # noqa: T201  its output


if __name__ == "__main__":
    main()
