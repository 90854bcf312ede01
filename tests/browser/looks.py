"""What eyes and fingers need of a screen, measured in the browser: targets large enough, texts that stand out."""

from __future__ import annotations

from playwright.async_api import Page

LEAST_PX = 44
LEAST_CONTRAST = 4.5


async def small_targets(page: Page) -> list[str]:
    """What is to be touched and is smaller than 44 px; a button may reach beyond what is seen of it."""
    found: list[str] = await page.evaluate(_SMALL, LEAST_PX)
    return found


async def faint_texts(page: Page) -> list[str]:
    """Texts whose contrast with their ground is below 4.5 (3 where they are large), but on gradients.

    The window must have been asked for reduced motion: a colour on its way to another is none.
    """
    found: list[str] = await page.evaluate(_FAINT, LEAST_CONTRAST)
    return found


_SMALL = """(least) => {
  const extra = (node) => -2 * parseFloat(getComputedStyle(node, "::after").top) || 0;
  return [...document.querySelectorAll("a, button, summary, input")]
    .filter((node) => node.checkVisibility())
    .map((node) => ({ node, box: node.getBoundingClientRect() }))
    .filter(({ node, box }) => box.height + Math.max(0, extra(node)) < least || box.width < least)
    .map(({ node, box }) => `${node.textContent} ${box.width} × ${box.height}`);
}"""

_FAINT = """async (least) => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const read = (color) => {
    const [r, g, b, a = 1] = numbers(color);
    return color.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = (color) => {
    const linear = (part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (node) => {
    const found = [];
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      found.push(read(style.backgroundColor));
      if (found.at(-1)[3] === 1) break;
    }
    return found.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    const seen = texts.currentNode.data.trim() && node.checkVisibility({ visibilityProperty: true });
    const ground = seen && !node.closest(":disabled, .sr-only, [inert]") && grounds(node);
    if (!ground) continue;
    const style = getComputedStyle(node);
    const [more, less] = [light(over(read(style.color), ground)), light(ground)].sort((a, b) => b - a);
    const contrast = (more + 0.05) / (less + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 600);
    if (contrast < (large ? 3 : least)) faint.push(`${texts.currentNode.data.trim()} ${contrast.toFixed(2)}`);
  }
  return faint;
}"""
