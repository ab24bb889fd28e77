/// The program that the user's Python runs for us: it reads requests as lines of JSON and answers each from a thread of its own, on the
/// descriptor that was its output.
///
/// What called functions print goes to the errors, so that it cannot spoil an answer.
enum PythonHelper {
    static let source: String = """
        import builtins, datetime, decimal, importlib, inspect, json, os, signal, sys, threading, traceback, uuid

        answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        writing = threading.Lock()
        parent = os.getppid()
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, lambda number, frame: os.kill(parent, number))
        # Ctrl-C reaches the whole group; the parent decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

        def decoded(members):
            if list(members) == ["\\0bytes"]:
                return bytes(members["\\0bytes"])
            return members

        def encoded(value):
            if isinstance(value, (datetime.datetime, datetime.date)):
                return value.isoformat()
            if isinstance(value, (decimal.Decimal, uuid.UUID)):
                return str(value)
            raise TypeError("Object of type '%s' is not JSON serializable" % type(value).__name__)

        def full_name(error):
            kind = type(error)
            if kind.__module__ in (None, builtins.__name__):
                return kind.__name__
            return kind.__module__ + "." + kind.__qualname__

        def problem(wanted):
            try:
                module = importlib.import_module(wanted["module"])
            except ImportError:
                return "could not find Python module '%s' in activity '%s'" % (wanted["module"], wanted["activity"])
            function = dict(inspect.getmembers(
                module, lambda member: inspect.isfunction(member) or inspect.isbuiltin(member))).get(wanted["name"])
            if function is None:
                return "The python module '%s' does not expose a function called '%s' in %s '%s'" % (
                    wanted["module"], wanted["name"], wanted["type"], wanted["activity"])
            signature = inspect.signature(function)
            arguments = dict.fromkeys(wanted["arguments"])
            for name in ("secrets", "configuration"):
                if name in signature.parameters:
                    arguments[name] = None
            try:
                signature.bind(**arguments)
            except TypeError as error:
                text = str(error)
                name = text.rsplit("'", 2)[-2] if "'" in text else ""
                if text.startswith("missing"):
                    return "required argument '%s' is missing from activity '%s'" % (name, wanted["name"])
                if "unexpected" in text:
                    return "argument '%s' is not part of the function signature in activity '%s'" % (
                        name, wanted["name"])
                return text
            return None

        def checked(wanted):
            try:
                return problem(wanted)
            except BaseException as error:
                return "%s: %s" % (full_name(error), error)

        def called(request):
            try:
                module = importlib.import_module(request["module"])
                function = getattr(module, request["function"])
            except BaseException as error:
                return {"unexpected": "%s: %s" % (full_name(error), error)}
            arguments = dict(request["arguments"])
            try:
                parameters = inspect.signature(function).parameters
            except (TypeError, ValueError):
                parameters = {}
            if "secrets" in parameters and request["secrets"] is not None:
                arguments["secrets"] = request["secrets"]
            if "configuration" in parameters:
                arguments["configuration"] = request["configuration"]
            try:
                value = function(**arguments)
            except (SystemExit, KeyboardInterrupt):
                return {"interrupted": True}
            except BaseException as error:
                if full_name(error) == "chaoslib.exceptions.InterruptExecution":
                    return {"interrupted": True}
                return {"failed": "%s: %s" % (full_name(error), error), "trace": traceback.format_exc()}
            try:
                json.dumps(value, default=encoded)
            except (TypeError, ValueError, RecursionError) as error:
                return {"unwritable": str(error)}
            return {"value": value}

        def answered(request):
            if "functions" in request:
                result = [checked(wanted) for wanted in request["functions"]]
            else:
                result = called(request)
            with writing:
                answers.write(json.dumps({"id": request["id"], "answer": result}, default=encoded) + "\\n")
                answers.flush()

        for line in requests:
            request = json.loads(line, object_hook=decoded)
            threading.Thread(target=answered, args=(request,), daemon=True).start()
        os._exit(0)
        """
}
