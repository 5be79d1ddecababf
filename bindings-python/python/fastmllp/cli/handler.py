"""The handler of ``serve``: found by its name, and asked after the message is stored."""

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from fastmllp.cli.project import is_of_project
from fastmllp.config import ConfigError
from fastmllp.hl7 import Message
from fastmllp.saving import SaveTo

AnyHandler: TypeAlias = Callable[[Message], Any]

# What stands between this file and that of the user in a traceback.
_MACHINERY = ("<frozen importlib", importlib.__file__, __file__)


class CannotLoad(ConfigError):
    """A name leads to no handler. The text is one line, and says why.

    Attributes:
        files: Those that may have to change, whether they are there or not.
    """

    def __init__(self, name: str, why: str, files: Iterable[str] = ()) -> None:
        super().__init__(f"handler {name}: {why}")
        self.files = frozenset(files)


def check_name(name: str) -> str:
    """Check the form of a handler's name: ``package.module:handler`` or ``module:object.method``.

    Raises:
        ValueError: It is of another form.
    """
    module, _, path = name.partition(":")
    if not all(word.isidentifier() for word in (*module.split("."), *path.split("."))):
        raise ValueError(f"handler must be MODULE:NAME, such as package.module:store, not {name!r}")
    return name


def module_of(name: str) -> str:
    """The module in the name of a handler."""
    return name.partition(":")[0]


def load(name: str) -> AnyHandler:
    """Import a module, from the current directory too, and find the handler in it.

    Args:
        name: As `check_name` wants it.

    Raises:
        CannotLoad: There is no such module or attribute, it cannot be called, or the module has
            raised an exception; then the text names the file and the line.
    """
    module, _, path = name.partition(":")
    folder = os.getcwd()
    if sys.path[0] not in ("", folder):
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        found: Any = importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # A module may also call `sys.exit`.
        raise CannotLoad(name, _why(error, module), _files(error)) from error
    for attribute in path.split("."):
        try:
            found = getattr(found, attribute)
        except Exception as error:  # A property runs code of its own.
            raise CannotLoad(name, f"there is no {path} in {module}") from error
    if isinstance(found, type):
        raise CannotLoad(name, f"{path} is a class, not an instance of one")
    if not callable(found):
        raise CannotLoad(name, f"{path} cannot be called")
    handler: AnyHandler = found
    return handler


def is_coroutine_function(handler: AnyHandler) -> bool:
    """Whether a handler is for asyncio: a coroutine function, or an object that is called so."""
    return any(map(inspect.iscoroutinefunction, (handler, type(handler).__call__)))


def stored_first(save: SaveTo, handler: AnyHandler) -> AnyHandler:
    """A handler that stores each message, and asks another one about it once it is on the disk."""
    if not is_coroutine_function(handler):

        def store_and_ask(message: Message) -> Any:
            refusal = save(message)
            return handler(message) if refusal is None else refusal

        return store_and_ask

    import asyncio  # Here, since plain handlers do without.

    async def store_and_await(message: Message) -> Any:
        refusal = await asyncio.to_thread(save, message)
        return await handler(message) if refusal is None else refusal

    return store_and_await


def _why(error: BaseException, module: str) -> str:
    if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
        return f"there is no module {error.name}"
    lines = traceback.format_exception_only(error)
    text = next(line for line in lines if not line.startswith(" ")).splitlines()[0]
    place = _place(error)
    return f"{text} ({place[0]}, line {place[1]})" if place else text


def _place(error: BaseException) -> tuple[str, int] | None:
    """File and line of an exception: the last of the project, or the last of all."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return error.filename, error.lineno
    places = _places(error)
    own = [place for place in places if is_of_project(place[0])]
    found = own or places
    return found[-1] if found else None


def _places(error: BaseException) -> list[tuple[str, int]]:
    frames = traceback.walk_tb(error.__traceback__)
    places = [(frame.f_code.co_filename, line) for frame, line in frames]
    return [place for place in places if not place[0].startswith(_MACHINERY)]


def _files(error: BaseException) -> set[str]:
    """The files that an import has read before it failed, and those that it has not found."""
    files = {file for file, _ in _places(error)}
    if isinstance(error, SyntaxError) and error.filename:
        files.add(error.filename)
    if isinstance(error, ModuleNotFoundError) and error.name:
        path = os.path.join(os.getcwd(), *error.name.split("."))
        files |= {f"{path}.py", os.path.join(path, "__init__.py")}
    return files
