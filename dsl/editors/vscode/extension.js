// Starts `mixc lsp` for recipes and runs the commands that its code lenses offer. Everything about the language itself
// is the server's.
"use strict";

const os = require("node:os");
const path = require("node:path");
const vscode = require("vscode");
const { CloseAction, LanguageClient } = require("vscode-languageclient/node");

const INSTALL = 'pip install "mixc[lsp]"';

let client; // the one that runs, or that tried to
let output; // shared by all clients, so that what one said outlives it
let turn = Promise.resolve(); // starts and stops follow each other

/** The command that starts mixc, as the settings name it; a relative path is seen from the workspace's first folder. */
function command() {
  const set = vscode.workspace.getConfiguration("mixc").get("path", "mixc").trim() || "mixc";
  const home = set.replace(/^~(?=[\\/])/, () => os.homedir());
  const bare = !/[\\/]/.test(home); // looked for on the PATH
  return bare || path.isAbsolute(home) ? home : path.resolve(workspaceFolder() ?? ".", home);
}

function workspaceFolder() {
  const folder = vscode.workspace.workspaceFolders?.find((one) => one.uri.scheme === "file");
  return folder?.uri.fsPath;
}

/** A client whose failure to start is told once, in words that help: by `start`, not by the library. */
class Client extends LanguageClient {
  starting = true;

  error(message, data, showNotification) {
    super.error(message, data, this.starting ? false : showNotification);
  }
}

async function start() {
  const server = { command: command(), args: ["lsp"], options: { cwd: workspaceFolder() } };
  const created = new Client("mixc", "mixc", server, {
    documentSelector: [{ language: "mix", scheme: "file" }],
    outputChannel: output,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: (...found) => usual.error(...found),
      closed: () => (created.starting ? { action: CloseAction.DoNotRestart, handled: true } : usual.closed()),
    },
  });
  const usual = created.createDefaultErrorHandler(4);
  client = created;
  // A promise that is kept says nothing: it also is for a server that ended before it answered.
  await created.start().catch((error) => output.appendLine(`${server.command} lsp: ${error?.message ?? error}`));
  created.starting = false;
  if (!created.isRunning()) tell(server.command); // not awaited: the message stands until somebody answers it
}

/** Say that mixc cannot be started, what to type, and where the command is set. */
async function tell(tried) {
  const message = `\`${tried} lsp\` cannot be started. Type \`${INSTALL}\`, or set \`mixc.path\` to where mixc is.`;
  const chosen = await vscode.window.showErrorMessage(message, "Open Settings", "Show Output");
  if (chosen === "Open Settings") await vscode.commands.executeCommand("workbench.action.openSettings", "mixc.path");
  if (chosen === "Show Output") output.show(true);
}

async function stop() {
  const stopped = client;
  client = undefined;
  if (stopped?.isRunning()) await stopped.stop().catch((error) => output.appendLine(`mixc lsp: ${error.message}`));
}

function restart() {
  turn = turn.then(stop).then(start);
  return turn;
}

/** The arguments of mixc for each command, given the name of a recipe in the current folder. */
const RUNS = {
  "mixc.compile": (recipe) => ["compile", recipe],
  "mixc.diff": (recipe) => ["diff", `HEAD:./${manifest(recipe)}`, manifest(recipe)],
  "mixc.explain": (recipe) => ["explain", manifest(recipe)],
};

function manifest(recipe) {
  return `${path.basename(recipe, ".mix")}.manifest.json`;
}

/** The file that a command is about: a path or a URI from a code lens, or what is being edited. */
function recipePath(given) {
  if (typeof given === "string") return /^file:/.test(given) ? vscode.Uri.parse(given).fsPath : given;
  const uri = given?.scheme ? given : vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === "file" ? uri.fsPath : undefined;
}

/** Run mixc on a recipe in a terminal; as a task, so that no shell reads the names. */
async function run(name, given) {
  const file = recipePath(given);
  if (!file?.endsWith(".mix")) {
    vscode.window.showErrorMessage("mixc: open a recipe, `NAME.mix`, in the editor first.");
    return;
  }
  const open = vscode.workspace.textDocuments.find((one) => one.uri.scheme === "file" && one.uri.fsPath === file);
  if (open?.isDirty) await open.save();
  const args = RUNS[name](path.basename(file));
  const what = new vscode.ProcessExecution(command(), args, { cwd: path.dirname(file) });
  const scope = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file)) ?? vscode.TaskScope.Workspace;
  const task = new vscode.Task({ type: "process" }, scope, args.join(" "), "mixc", what);
  task.presentationOptions = { clear: true, echo: true, panel: vscode.TaskPanelKind.Shared };
  await vscode.tasks.executeTask(task);
}

async function activate(context) {
  output = vscode.window.createOutputChannel("mixc");
  context.subscriptions.push(
    output,
    ...Object.keys(RUNS).map((name) => vscode.commands.registerCommand(name, (given) => run(name, given))),
    vscode.commands.registerCommand("mixc.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("mixc.path") && restart()),
  );
  await restart();
}

function deactivate() {
  turn = turn.then(stop);
  return turn;
}

/** Resolves when every start and stop that was asked for is over. */
const settled = () => turn;

module.exports = { activate, deactivate, settled };
