"""How well texts stand out: the contrast ratio of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

FAINT_TEXTS = """
    // Texts with less than a contrast, "text: ratio"; those of buttons that cannot be used are left out, as in WCAG.
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const behind = (node) => {
      for (; node; node = node.parentElement) {
        const colour = numbers(getComputedStyle(node).backgroundColor);
        if (colour.length === 3 || colour[3] === 1) return colour;
      }
      return [255, 255, 255];
    };
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let seen = 0;
    while (texts.nextNode()) {
      const node = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || !node.checkVisibility()) continue;
      if (node.closest(':disabled, .unseen, option')) continue;
      const style = getComputedStyle(node);
      const colour = numbers(node.namespaceURI.endsWith('svg') ? style.fill : style.color);
      const [light, dark] = [luminance(colour), luminance(behind(node))].sort((one, other) => other - one);
      const ratio = (light + 0.05) / (dark + 0.05);
      seen += 1;
      if (ratio < arguments[0]) found.push(`${texts.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
    }
    return seen > 3 ? found : ['hardly any text was found'];
"""
