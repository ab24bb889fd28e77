/// The program that the user's Python runs for us.
///
/// It reads requests as lines of JSON and writes answers to the descriptor that was its output. What called functions print goes to the errors, so that it cannot spoil an answer.
///
/// Activities of the foreground are called on the main thread, as the reference does: there they can set up signal handlers and can be
/// interrupted whatever they wait for. Everything else has a thread of its own.
enum PythonHelper {
    static let source: String = """
        import builtins, ctypes, datetime, decimal, importlib, inspect, json, logging, os, queue, signal, sys, threading
        import traceback, types, uuid

        answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        writing = threading.Lock()
        parent = os.getppid()
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, lambda number, frame: os.kill(parent, number))
        # Ctrl-C reaches the whole group; the parent decides what it means. Not ignored: what functions start would inherit that.
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, lambda number, frame: None)

        # `busy` is whether the main thread has a request, `current` the one whose function it is in.
        main = {"calls": queue.SimpleQueue(), "busy": False, "current": None, "thread": threading.get_ident()}
        threads = {}
        cancelled = set()

        def on_cancel(number, frame):
            # Not in the middle of a line: the next one would be glued to it.
            if main["current"] in cancelled and not writing.locked():
                raise KeyboardInterrupt
        interruption = signal.SIGRTMIN
        signal.signal(interruption, on_cancel)

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
            return class_name(type(error))

        def class_name(kind):
            if kind.__module__ in (None, builtins.__name__):
                return kind.__name__
            return kind.__module__ + "." + kind.__qualname__

        def version():
            return "Python %d.%d.%d, %s" % (*sys.version_info[:3], sys.executable)

        def problem(wanted):
            try:
                module = importlib.import_module(wanted["module"])
            except ImportError as error:
                # The module may be there, and what it needs itself may not.
                missing = error.name or wanted["module"]
                inner = "" if (wanted["module"] + ".").startswith(missing + ".") else ": it needs '%s'" % missing
                return {
                    "message": "could not find Python module '%s' in activity '%s'%s" % (
                        wanted["module"], wanted["activity"], inner),
                    "remedy": "%s was asked; install the module there, or name another Python in WINDKANAL_PYTHON" % (
                        version())}
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
                found = problem(wanted)
                return {"message": found} if isinstance(found, str) else found
            except BaseException as error:
                return {"message": "the Python module '%s' cannot be loaded in activity '%s': %s: %s" % (
                    wanted["module"], wanted["activity"], full_name(error), error)}

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
            is_main = threading.get_ident() == main["thread"]
            try:
                if is_main:
                    main["current"] = request["id"]
                if request["id"] in cancelled:
                    raise KeyboardInterrupt
                try:
                    value = function(**arguments)
                finally:
                    if is_main:
                        main["current"] = None
            except (SystemExit, KeyboardInterrupt):
                return {"interrupted": True}
            except BaseException as error:
                if is_interruption(error):
                    # The reference's own way to end a run.
                    logger.critical(str(error))
                    return {"interrupted": True}
                return {"failed": "%s: %s" % (full_name(error), error), "trace": traceback.format_exc()}
            try:
                json.dumps(value, default=encoded)
            except (TypeError, ValueError, RecursionError) as error:
                return {"value": str(value)}
            return {"value": value}

        def portable(value):
            # Bytes keep their form, and what JSON has no word for becomes a text.
            if isinstance(value, (bytes, bytearray)):
                return {"\\0bytes": list(value)}
            try:
                return encoded(value)
            except TypeError:
                return str(value)

        def text_of(value):
            return json.dumps(value, default=portable, skipkeys=True)

        class Registry:
            # Handlers of events cannot be called from here.
            def register(self, handler):
                logger.warning("an event handler of a control is not called: events are not passed to Python")

        def is_interruption(error):
            return isinstance(error, (SystemExit, KeyboardInterrupt)) or (
                "chaoslib.exceptions.InterruptExecution" in map(class_name, type(error).__mro__))

        def imported(name):
            try:
                return importlib.import_module(name)
            except ImportError:
                return None

        def call_control(request, values, context):
            # Calls a function of a control with what it asks for; gives how that ended.
            module = imported(request["control"])
            if module is None:
                return "no-module"
            function = getattr(module, request["function"], None)
            if not function:
                return "absent"
            arguments = dict(request["arguments"])
            if request["function"] != "cleanup_control":
                parameters = inspect.signature(function).parameters
                for name in request["offers"]:
                    if name in parameters:
                        arguments[name] = values[name]
                if request["function"] != "configure_control":
                    arguments["context"] = context
            else:
                arguments = {}
            function(**arguments)
            return "returned"

        def controlled(request):
            values = {name: request[name] for name in ("experiment", "configuration", "secrets", "settings", "state")}
            experiment, state = values["experiment"], values["state"]
            if isinstance(experiment, dict):
                values["extensions"] = experiment.get("extensions")
                # A journal has its own members, and shares what is inside them.
                if isinstance(state, dict) and isinstance(state.get("experiment"), dict):
                    state["experiment"].update(
                        (name, experiment[name]) for name, value in list(state["experiment"].items())
                        if isinstance(value, (dict, list)) and name in experiment)
            values["event_registry"] = Registry()
            context = request["source"]
            if context is None:
                context = experiment
                for token in request["part"]:
                    context = context[int(token) if isinstance(context, list) else token]
            names = ("experiment", "configuration", "secrets", "state")
            before = {name: text_of(values[name]) for name in names}
            is_main = threading.get_ident() == main["thread"]
            result = {}
            try:
                if is_main:
                    main["current"] = request["id"]
                if request["id"] in cancelled:
                    raise KeyboardInterrupt
                try:
                    result["end"] = call_control(request, values, context)
                finally:
                    if is_main:
                        main["current"] = None
            except BaseException as error:
                result["end"] = "interrupted" if is_interruption(error) else "failed"
                result["message"] = str(error) if is_interruption(error) else "%s: %s" % (full_name(error), error)
            result["changed"] = {
                name: json.loads(text) for name, text in ((name, text_of(values[name])) for name in names)
                if text != before[name]}
            return result

        def control_problem(control):
            name, module_name = control["name"], control["provider"]["module"]
            try:
                module = imported(module_name)
                if module is None:
                    return {"error": False, "message":
                        "Could not find Python module '%s' in control '%s'. Did you install the Python "
                        "module? The experiment will carry on running nonetheless." % (module_name, name)}
                validate = getattr(module, "validate_control", None)
                if validate:
                    validate(control)
                return None
            except BaseException as error:
                return {"error": True, "message": "Control '%s' is not valid: %s" % (name, error)}

        def write(number, result):
            with writing:
                answers.write("%d %s\\n" % (number, json.dumps(result, default=encoded)))
                answers.flush()
            if threading.get_ident() == main["thread"] and main["current"] in cancelled:
                raise KeyboardInterrupt

        class LogForwarder(logging.Handler):
            def emit(self, record):
                try:
                    text = record.getMessage()
                    if record.exc_info:
                        text += "\\n" + logging.Formatter().formatException(record.exc_info)
                    write(0, {"level": record.levelno, "text": text})
                except Exception:
                    self.handleError(record)

        # What drivers log: the reference shows it among its own messages.
        logger = logging.getLogger("chaostoolkit")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(LogForwarder(logging.INFO))
        # An older package of the same purpose, which drivers still import, leads to the same logger.
        logzero = types.ModuleType("logzero")
        logzero.__path__ = []
        logzero.logger = logger
        sys.modules["logzero"] = logzero

        def answer(request):
            if "functions" in request:
                write(request["id"], [checked(wanted) for wanted in request["functions"]])
            elif "controls" in request:
                write(request["id"], [control_problem(control) for control in request["controls"]])
            elif "control" in request:
                write(request["id"], controlled(request))
            else:
                write(request["id"], called(request))

        def answer_in_thread(request):
            threads[request["id"]] = threading.get_ident()
            try:
                answer(request)
            except KeyboardInterrupt:
                write(request["id"], {"interrupted": True})
            finally:
                threads.pop(request["id"], None)

        def cancel(number):
            cancelled.add(number)
            if number in threads:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(threads[number]), ctypes.py_object(KeyboardInterrupt))
            else:
                signal.pthread_kill(main["thread"], interruption)

        def read():
            for line in requests:
                request = json.loads(line, object_hook=decoded)
                if "cancel" in request:
                    cancel(request["cancel"])
                elif request.get("background", True) or main["busy"]:
                    threading.Thread(target=answer_in_thread, args=(request,), daemon=True).start()
                else:
                    main["busy"] = True
                    main["calls"].put(request)
            os._exit(0)

        threading.Thread(target=read, daemon=True).start()
        while True:
            request = main["calls"].get()
            try:
                answer(request)
            except KeyboardInterrupt:
                write(request["id"], {"interrupted": True})
            main["busy"] = False
        """
}
