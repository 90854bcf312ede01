// The API's pages: a directory, a search, and one page for each call, structure and error.

import { h, inline, markdown, sample, say } from "./dom.js";
import { Schemas } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const nav = document.getElementById("nav");
const content = document.getElementById("content");
const search = document.getElementById("search");

let description;
let schemas;
let entries = [];

function collect() {
  const calls = [];
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      const codes = Object.values(operation.responses).flatMap((answer) => Object.keys(examplesOf(answer)));
      calls.push({
        id: `#/call/${operation.operationId}/${method}`, group: operation.tags?.[0] ?? "", method, path,
        title: operation.summary || operation.operationId, words: [operation.operationId, operation.description, ...codes],
        page: () => callPage(method, path, operation),
      });
    }
  }
  for (const socket of description["x-websockets"] ?? []) {
    calls.push({
      id: `#/socket${socket.path}`, group: socket.tag, method: "ws", path: socket.path,
      title: socket.summary || socket.path, words: ["websocket"], page: () => socketPage(socket),
    });
  }
  const order = description.tags.map((tag) => tag.name);
  calls.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
  const structures = Object.keys(schemas.components).sort().map((name) => ({
    id: `#/schema/${name}`, group: "数据结构", title: name,
    words: Object.keys(schemas.components[name].properties ?? {}), page: () => schemaPage(name),
  }));
  const errors = { id: "#/errors", group: "总览", title: "错误码", words: ["problem", "错误", "code"], page: errorsPage };
  const start = { id: "#/", group: "总览", title: "约定", words: ["幂等", "说明"], page: startPage };
  return [start, errors, ...calls, ...structures];
}

const examplesOf = (answer) => answer.content?.["application/problem+json"]?.examples ?? {};

function groupTitle(name) {
  const tag = description.tags.find((item) => item.name === name);
  return tag?.description ? `${tag.description} · ${name}` : name;
}

function drawDirectory() {
  const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const shown = entries.filter((entry) => {
    const text = [entry.title, entry.path, entry.method, entry.group, ...entry.words].join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
  const groups = Map.groupBy ? Map.groupBy(shown, (entry) => entry.group) : groupBy(shown);
  nav.replaceChildren(...[...groups].map(([group, items]) => h("section", {},
    h("h2", {}, groupTitle(group)),
    h("ul", {}, items.map((entry) => h("li", {}, link(entry)))))));
  if (!shown.length) nav.append(h("p", { class: "quiet" }, "没有找到；换个词试试。"));
  if (wanted.length) say(`找到 ${shown.length} 项`);
  markCurrent();
}

function groupBy(items) {
  const groups = new Map();
  for (const item of items) groups.set(item.group, [...(groups.get(item.group) ?? []), item]);
  return groups;
}

// A long path breaks before a slash, not within a word.
function breakable(path) {
  return path.split(/(?=\/)/).flatMap((part) => [h("wbr"), part]);
}

function link(entry) {
  if (!entry.method) return h("a", { href: entry.id, class: "plain" }, entry.title);
  return h("a", { href: entry.id },
    h("span", { class: `method ${entry.method}` }, entry.method),
    h("span", {}, entry.title),
    h("span", { class: "path" }, breakable(entry.path)));
}

function markCurrent() {
  for (const anchor of nav.querySelectorAll("a")) {
    if (anchor.getAttribute("href") === current().id) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
}

const current = () => entries.find((entry) => entry.id === decodeURI(location.hash || "#/")) ?? entries[0];

function draw(moveFocus) {
  const entry = current();
  document.title = `${entry.title} · ${description.info.title}`;
  content.replaceChildren(...entry.page());
  markCurrent();
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  window.scrollTo(0, 0);
  if (moveFocus) content.focus({ preventScroll: true });
}

function card(...children) {
  return h("section", { class: "card" }, ...children);
}

function startPage() {
  const calls = entries.filter((entry) => entry.method);
  return [
    card(h("h1", {}, description.info.title), h("p", { class: "quiet" }, `版本 ${description.info.version} · ${calls.length} 个接口`),
      markdown(description.info.description)),
    card(h("h2", {}, "身份验证"), h("ul", { class: "tree" },
      Object.entries(description.components.securitySchemes ?? {}).map(([name, scheme]) =>
        h("li", {}, h("span", { class: "field" }, h("span", { class: "name" }, name)),
          h("p", { class: "note" }, inline(scheme.description ?? "")))))),
    card(h("h2", {}, "键盘"), h("p", {}, inline("按 `/` 搜索，`↓` `↑` 在目录中移动，`Enter` 打开，`Esc` 清空搜索。"))),
  ];
}

function callPage(method, path, operation) {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const [status, success] = Object.entries(operation.responses).find(([code]) => code.startsWith("2")) ?? [];
  const answer = success?.content?.["application/json"]?.schema;
  return [
    card(
      h("h1", {}, operation.summary || operation.operationId),
      h("div", { class: "address" }, h("span", { class: `method ${method}` }, method), h("span", { class: "path" }, path)),
      markdown(operation.description),
      h("ul", { class: "facts" },
        h("li", {}, `谁可以调用：${operation["x-guard"] ?? "—"}`),
        (operation.security ?? []).flatMap((item) => Object.keys(item)).map((name) => h("li", {}, name)),
        operation.parameters?.some((item) => item.name === "Idempotency-Key") && h("li", {}, "幂等"))),
    operation.parameters && card(h("h2", {}, "参数"), parameterTable(operation.parameters)),
    operation.requestBody && card(h("h2", {}, `请求正文${operation.requestBody.required === false ? "（可省略）" : ""}`),
      body ? pair(body, { sent: true }) : h("p", { class: "quiet" }, "原始字节。")),
    card(h("h2", {}, `成功 ${status ?? ""}`), answer ? pair(answer) : h("p", { class: "quiet" }, success?.content ? "原始内容。" : "没有正文。")),
    card(h("h2", {}, "错误"), errorTable(operation.responses)),
    card(h("h2", {}, "命令行"), sample(curl(method, path, operation, body))),
  ].filter(Boolean);
}

function pair(schema, { sent = false } = {}) {
  schemas.marksRequired = sent;
  return h("div", { class: "two" },
    schemas.tree(schema) ?? h("p", { class: "note" }, schemas.kind(schema)),
    sample(JSON.stringify(schemas.example(schema), null, 2)));
}

function parameterTable(parameters) {
  const places = { path: "路径", query: "查询", header: "请求头" };
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, ["名称", "位置", "类型", "说明"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, parameters.map((item) => h("tr", {},
      h("td", {}, h("code", {}, item.name), item.required && h("span", { class: "must" }, " 必填")),
      h("td", {}, places[item.in] ?? item.in),
      h("td", {}, [schemas.kind(item.schema), ...schemas.limits(item.schema)].join(" · ")),
      h("td", {}, inline(item.description ?? "")))))));
}

function errorTable(responses) {
  const rows = Object.entries(responses).flatMap(([status, answer]) =>
    Object.entries(examplesOf(answer)).map(([code, example]) => h("tr", {},
      h("td", { class: "status" }, status),
      h("td", {}, h("code", {}, code)),
      h("td", {}, example.value.detail))));
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, ["状态", "code", "含义"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows)));
}

function curl(method, path, operation, body) {
  const address = location.origin + path.replace(/\{(\w+)\}/g, "<$1>");
  const lines = [`curl -X ${method.toUpperCase()} '${address}'`];
  const scheme = Object.keys(operation.security?.[0] ?? {})[0] ?? "";
  if (scheme.endsWith("Hmac")) lines.push("-H 'Authorization: HUIYUAN-HMAC-SHA256 terminal=…,timestamp=…,nonce=…,signature=…'");
  else if (scheme) lines.push("-H 'Authorization: Bearer <access token>'");
  if (operation.parameters?.some((item) => item.name === "Idempotency-Key")) lines.push("-H \"Idempotency-Key: $(uuidgen)\"");
  if (body) lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(schemas.example(body))}'`);
  return lines.join(" \\\n  ");
}

function socketPage(socket) {
  return [card(
    h("h1", {}, socket.summary || "WebSocket"),
    h("div", { class: "address" }, h("span", { class: "method ws" }, "ws"), h("span", { class: "path" }, socket.path)),
    markdown(socket.description),
    h("ul", { class: "facts" }, h("li", {}, `谁可以连接：${socket.guard}`),
      socket.subprotocol && h("li", {}, `子协议 ${socket.subprotocol}`)))];
}

function schemaPage(name) {
  const users = entries.filter((entry) => entry.method && JSON.stringify(description.paths[entry.path]?.[entry.method] ?? "")
    .includes(`"#/components/schemas/${name}"`));
  return [
    card(h("h1", {}, name), markdown(schemas.components[name].description), pair({ $ref: `#/components/schemas/${name}` }, { sent: schemas.components[name].additionalProperties === false })),
    users.length > 0 && users.length < 40 && card(h("h2", {}, "用于"), h("ul", {}, users.map((entry) =>
      h("li", {}, h("a", { href: entry.id }, `${entry.method.toUpperCase()} ${entry.path}`), ` ${entry.title}`)))),
  ].filter(Boolean);
}

function errorsPage() {
  const found = new Map();
  for (const item of Object.values(description.paths)) {
    for (const operation of Object.values(item)) {
      for (const [status, answer] of Object.entries(operation.responses)) {
        for (const [code, example] of Object.entries(examplesOf(answer))) {
          const known = found.get(code) ?? { status, detail: example.value.detail, count: 0 };
          found.set(code, { ...known, count: known.count + 1 });
        }
      }
    }
  }
  const rows = [...found].sort(([a, x], [b, y]) => x.status.localeCompare(y.status) || a.localeCompare(b));
  return [
    card(h("h1", {}, "错误码"), markdown("每个错误都是 `application/problem+json`：程序看 `code`，人看 `detail`，`errors[].pointer` 指出字段。")),
    card(h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["状态", "code", "含义", "出现于"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows.map(([code, { status, detail, count }]) => h("tr", {},
        h("td", { class: "status" }, status), h("td", {}, h("code", {}, code)), h("td", {}, detail),
        h("td", { class: "status" }, `${count} 个接口`))))))),
    card(h("h2", {}, "形状"), pair({ $ref: "#/components/schemas/Problem" })),
  ];
}

function move(event, step) {
  const anchors = [...nav.querySelectorAll("a")];
  const at = anchors.indexOf(document.activeElement);
  const next = at < 0 ? 0 : at + step;
  event.preventDefault();
  if (next < 0) search.focus();
  else anchors[Math.min(next, anchors.length - 1)]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inSearch = document.activeElement === search;
  const inNav = nav.contains(document.activeElement);
  if (event.key === "/" && !inSearch) {
    event.preventDefault();
    search.select();
    search.focus();
  } else if (event.key === "Escape" && inSearch) {
    search.value = "";
    drawDirectory();
  } else if (event.key === "ArrowDown" && (inSearch || inNav)) move(event, 1);
  else if (event.key === "ArrowUp" && inNav) move(event, -1);
  else if (event.key === "Enter" && inSearch) nav.querySelector("a")?.click();
});
search.addEventListener("input", drawDirectory);
window.addEventListener("hashchange", () => draw(true));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});

async function start() {
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    description = await answer.json();
  } catch (error) {
    content.replaceChildren(h("section", { class: "card failure" }, h("h1", {}, "读不到接口说明"),
      h("p", {}, `服务没有回答（${error.message}）。`), h("p", {}, h("a", { href: "" }, "重新载入"))));
    return;
  }
  schemas = new Schemas(description);
  entries = collect();
  document.getElementById("title").textContent = description.info.title;
  drawDirectory();
  draw(false);
}

start();
