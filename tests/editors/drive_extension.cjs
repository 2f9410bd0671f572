// Runs the extension outside the editor: `node drive_extension.cjs EXTENSION < script.json` prints what it did as JSON.
// Only the module `vscode`, which exists nowhere but inside the editor, is a stand-in; the language client, the
// processes that it starts and what passes between them are real.
//
// The script: {"settings": {"mixc.path": …}, "folder": …, "active": path, "dirty": [path], "answer": …, "steps": [step, …]}
// with steps {"command": name, "args": […]}, {"set": {"mixc.path": …}} and {"open": path}, after which diagnostics are
// awaited. `answer` is the button that is pressed under error messages.
"use strict";

const events = require("node:events");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const url = require("node:url");

const script = JSON.parse(fs.readFileSync(0, "utf8"));
const done = { commands: [], tasks: [], messages: [], output: [], saved: [], diagnostics: {} };
const changes = new events.EventEmitter();
const commands = new Map();
const disposable = () => ({ dispose() {} });
const listen = (name) => (listener) => {
  changes.on(name, listener);
  return { dispose: () => changes.off(name, listener) };
};

class Uri {
  constructor(scheme, fsPath) {
    Object.assign(this, { scheme, fsPath, path: fsPath });
  }
  static file = (name) => new Uri("file", name);
  static parse = (text) => new Uri("file", url.fileURLToPath(text));
  toString = () => url.pathToFileURL(this.fsPath).href;
}

function opened(name) {
  return {
    uri: Uri.file(name),
    languageId: "mix",
    version: 1,
    isDirty: script.dirty?.includes(name) ?? false,
    getText: () => fs.readFileSync(name, "utf8"),
    save: async () => done.saved.push(name),
  };
}

class Task {
  constructor(definition, scope, name, source, execution) {
    Object.assign(this, { definition, scope, name, source, execution });
  }
}

class ProcessExecution {
  constructor(process, args, options) {
    Object.assign(this, { process, args, options });
  }
}

/** What a namespace of the editor has, and for all else a class or an event that never comes. */
function filled(known, name) {
  return new Proxy(known, {
    get(target, key) {
      if (key in target || typeof key !== "string") return target[key];
      if (/^on[A-Z]/.test(key)) target[key] = listen(`${name}.${key}`);
      else if (/^(register|create)[A-Z]/.test(key)) target[key] = disposable;
      else if (/^[A-Z]/.test(key)) target[key] = filled(class {}, key);
      return target[key];
    },
  });
}

const document = script.active && opened(script.active);
const vscode = filled(
  {
    version: "1.82.0",
    Uri,
    Task,
    ProcessExecution,
    TaskScope: { Global: 1, Workspace: 2 },
    TaskPanelKind: { Shared: 1 },
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    CancellationTokenSource: class {
      token = { isCancellationRequested: false, onCancellationRequested: disposable };
      dispose() {}
      cancel() {}
    },
    Range: class {
      constructor(...at) {
        Object.assign(this, { at });
      }
    },
    Diagnostic: class {
      constructor(range, message) {
        Object.assign(this, { range, message });
      }
    },
    EventEmitter: class {
      emitter = new events.EventEmitter();
      event = (listener) => (this.emitter.on("it", listener), disposable());
      fire(value) {
        this.emitter.emit("it", value);
      }
      dispose() {}
    },
    env: filled({ appName: "fake", language: "en" }, "env"),
    l10n: {},
    commands: filled(
      {
        registerCommand(name, action) {
          if (commands.has(name)) throw new Error(`command '${name}' already exists`);
          commands.set(name, action);
          return { dispose: () => commands.delete(name) };
        },
        executeCommand: async (name, ...given) => done.commands.push([name, ...given]),
      },
      "commands",
    ),
    tasks: filled({ executeTask: async (task) => done.tasks.push(task) }, "tasks"),
    languages: filled(
      {
        match: (selector, found) => found.languageId === "mix",
        createDiagnosticCollection: () => ({
          set: (uri, found) => {
            done.diagnostics[uri.fsPath] = found.map((one) => one.message);
            changes.emit("diagnosed", uri.fsPath);
          },
          delete() {},
          clear() {},
          dispose() {},
        }),
      },
      "languages",
    ),
    window: filled(
      {
        activeTextEditor: document && { document },
        visibleTextEditors: [],
        tabGroups: filled({ all: [] }, "tabGroups"),
        createOutputChannel: () => ({
          appendLine: (line) => done.output.push(line),
          append: (text) => done.output.push(text),
          show() {},
          dispose() {},
        }),
        showErrorMessage: async (message, ...answers) => {
          done.messages.push(message);
          return answers.find((answer) => answer === script.answer);
        },
        showWarningMessage: async (message) => void done.messages.push(message),
        showInformationMessage: async (message) => void done.messages.push(message),
      },
      "window",
    ),
    workspace: filled(
      {
        workspaceFolders: script.folder && [{ uri: Uri.file(script.folder), name: "folder", index: 0 }],
        textDocuments: (script.dirty ?? []).map(opened),
        notebookDocuments: [],
        getWorkspaceFolder: (uri) => vscode.workspace.workspaceFolders?.find((one) => uri.fsPath.startsWith(one.uri.fsPath)),
        getConfiguration: (section) => ({
          get: (key, otherwise) => script.settings[`${section}.${key}`] ?? otherwise,
        }),
      },
      "workspace",
    ),
  },
  "vscode",
);

// As the editor's extension host does: the client drops a promise when a server ends before it has answered.
process.on("unhandledRejection", (error) => done.output.push(String(error)));

const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));

async function take(step, extension) {
  if (step.command) await commands.get(step.command)(...(step.args ?? []));
  if (step.set) {
    Object.assign(script.settings, step.set);
    const event = { affectsConfiguration: (section) => Object.keys(step.set).some((key) => key.startsWith(section)) };
    changes.emit("workspace.onDidChangeConfiguration", event);
    await extension.settled();
  }
  if (step.open) {
    const diagnosed = new Promise((resolve) => changes.once("diagnosed", resolve));
    const text = opened(step.open);
    vscode.workspace.textDocuments.push(text);
    changes.emit("workspace.onDidOpenTextDocument", text);
    await diagnosed;
  }
}

async function main() {
  const extension = require(path.resolve(process.argv[2]));
  const context = { subscriptions: [] };
  await extension.activate(context);
  for (const step of script.steps ?? []) await take(step, extension);
  await extension.deactivate();
  const registered = [...commands.keys()];
  for (const one of context.subscriptions) one.dispose();
  process.stdout.write(JSON.stringify({ ...done, registered, left: [...commands.keys()] }));
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
