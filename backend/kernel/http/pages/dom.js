// Elements without innerHTML: whatever the description holds is text, never markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// The little of Markdown that descriptions use: `code`, **bold** (with code inside), paragraphs and lists.
export function markdown(text) {
  const blocks = [];
  let list = null;
  for (const line of (text || "").split("\n")) {
    const item = line.match(/^\s*[-*] (.*)$/);
    if (item) {
      if (!list) blocks.push((list = h("ul")));
      list.append(h("li", {}, inline(item[1])));
      continue;
    }
    list = null;
    if (!line.trim()) blocks.push(null);
    else if (blocks.length && blocks.at(-1)?.tagName === "P") blocks.at(-1).append(" ", ...inline(line));
    else blocks.push(h("p", {}, inline(line)));
  }
  return blocks.filter(Boolean);
}

export function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).filter(Boolean).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return h("strong", {}, inline(part.slice(2, -2)));
    return part;
  });
}

export function sample(text, label = "复制") {
  const button = h("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("已复制");
      button.textContent = "已复制";
      setTimeout(() => (button.textContent = label), 1500);
    } catch {
      say("浏览器不允许复制，请手动选择文本");
    }
  });
  return h("div", { class: "sample" }, h("pre", { tabindex: "0" }, h("code", {}, text)), button);
}

export function say(text) {
  document.getElementById("status").textContent = text;
}
