"""What a file that somebody gives as a module really is. Looks at bytes only, executes nothing and needs no torch."""

from __future__ import annotations

import io
import json
import os
import pickletools
import zipfile

from diffpair.errors import shortened

# Classes that every pickle of tensors names, and containers; what else one names is a class of the user's.
_OF_TENSORS = ("torch._utils.", "torch._tensor.", "torch.storage.", "collections.", "torch.serialization.", "_codecs.")

_WRITE_IT = "write it with torch.export.save(torch.export.export(module, ...)) or torch.jit.save"

_LARGEST_PICKLE = 10_000_000  # bytes that are looked at, whatever a zip archive makes of few; classes come first

TORCHSCRIPT = "TorchScript"
EXPORTED = "exported program"


def kind_of(content: bytes) -> str:
    """TORCHSCRIPT, EXPORTED, or empty for bytes that neither torch.jit.save nor torch.export.save wrote."""
    names = _names_in_zip(content)
    if any(name.endswith("/constants.pkl") for name in names) and any("/code/" in name for name in names):
        return TORCHSCRIPT
    if any(name.endswith("/models/model.json") or name.endswith("serialized_exported_program.json") for name in names):
        return EXPORTED
    return ""


def describe(content: bytes) -> str:
    """What bytes are that are no module, and the way out: the end of a sentence that begins with the file's name."""
    names = _names_in_zip(content)
    pickled = next((name for name in names if name.split("/")[-1] == "data.pkl"), None)
    if pickled is not None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(pickled) as member:
                return _describe_pickle(member.read(_LARGEST_PICKLE))
        except Exception:  # zipfile raises many kinds for what is encrypted, damaged or packed otherwise
            return f"is an archive whose {pickled} cannot be read; give what torch.jit.save or torch.export.save wrote"
    if any(name.endswith(".npy") for name in names):
        return "is an archive of numpy arrays, not a module; give a TorchScript module or a torch.export program"
    if names:
        return "is a zip archive, but no module; give what torch.jit.save or torch.export.save wrote"
    if not content:
        return "is empty; give what torch.jit.save or torch.export.save wrote"
    if content[:1] == b"\x80" and content[1:2] <= b"\x05":  # and the protocol
        return _describe_pickle(content)
    if content[:6] == b"\x93NUMPY":
        return "is a numpy array, not a module; give a TorchScript module or a torch.export program"
    if content[8:9] == b"{" and int.from_bytes(content[:8], "little") < len(content):
        return "holds weights only (safetensors); build the module, load_state_dict them, and give that module"
    return _describe_text(content)


def read_module_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file. Raises OSError with a reason."""
    with open(path, "rb") as file:
        return file.read()


def _names_in_zip(content: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except Exception:  # not BadZipFile alone: names that are no text, numbers that lead out of the file
        return []


def _describe_pickle(pickled: bytes) -> str:
    classes = _classes_in_pickle(pickled)
    if any(name.startswith(("torch.jit.", "torch._C.ScriptModule")) for name in classes):
        return "is a pickle of a TorchScript module; write it with torch.jit.save instead"
    own = [name for name in classes if not name.startswith(_OF_TENSORS) and not _is_storage(name)]
    if own:
        return (
            f"is a pickled object of the class {shortened(own[0])[1:-1]}, as torch.save writes a whole module; load it "
            f"where its class is defined and {_WRITE_IT}"
        )
    if any(name.startswith("torch.") for name in classes):
        return (
            "holds weights only (a state_dict or tensors, as torch.save writes them); build the module, give "
            f"them to its load_state_dict, and {_WRITE_IT}"
        )
    return "is a pickle without a module; give what torch.jit.save or torch.export.save wrote"


def _is_storage(name: str) -> bool:
    """torch.FloatStorage and the like, torch.float32, torch.device, torch.Size."""
    module, _, last = name.rpartition(".")
    return module == "torch" and (last.endswith("Storage") or last[:1].islower() or last == "Size")


def _classes_in_pickle(pickled: bytes) -> list[str]:
    """Full names of the classes and functions that a pickle would import, in order, as far as it can be read."""
    found: list[str] = []
    strings: list[str] = []
    stream = io.BytesIO(pickled)
    try:
        while stream.tell() < len(pickled):  # files of old versions of torch are several pickles
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name == "GLOBAL":
                    found.append(str(argument).replace(" ", "."))
                elif opcode.name == "STACK_GLOBAL" and len(strings) > 1:
                    found.append(".".join(strings[-2:]))
                elif isinstance(argument, str):
                    strings.append(argument)
    except Exception:  # damaged, or followed by something else: what was read is what can be said
        pass
    return found


def _describe_text(content: bytes) -> str:
    if b"diffpair-potential" in content[:200]:
        return "is a potential file of DiffPair, not a module; it runs with PairTableForce.fromFile"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "is no file of torch; give what torch.jit.save or torch.export.save wrote"
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return "is a text file, not a module; give what torch.jit.save or torch.export.save wrote"
    return "is a JSON file, not a module; give what torch.jit.save or torch.export.save wrote"
