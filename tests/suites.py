"""Test suites of the bundled shop in four languages, as people write them; tests patch copies of them."""

PYTHON = '''"""Signing in to the shop."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as EC

EMAIL = "#login-email"
PASSWORD = (By.XPATH, "//input[@id='login-password']")


class LoginPage:
    cart_link = "#cart-link"

    def __init__(self, driver, wait):
        self.driver, self.wait = driver, wait

    def sign_in(self, email, password):
        self.driver.find_element(By.CSS_SELECTOR, EMAIL).send_keys(email)
        self.wait.until(EC.visibility_of_element_located(PASSWORD)).send_keys(password)
        self.driver.find_element(By.CSS_SELECTOR, '#login-btn').click()  # was "#login-btn" before, too

    def account(self):
        return self.driver.find_element(By.LINK_TEXT, "My account")

    def cart(self):
        return self.driver.find_element("css selector", self.cart_link)


def test_sign_in(page):
    page.fill("#login-email", "ann@example.org")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator(r"#newsletter-email").fill('x')
    page.locator("xpath=//input[@id='login-password']").press("Enter")
    assert page.title() == "Your account"
'''

JAVA = """package shop;

import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.support.FindBy;
import org.openqa.selenium.support.How;

class LoginPage {
    private static final String PASSWORD = "//input[@id='login-password']";
    private final By button = By.cssSelector("#login-btn");

    @FindBy(css = "#login-email")
    private WebElement email;

    @FindBy(how = How.CSS, using = "#newsletter-email")
    private WebElement newsletter;

    void signIn(String password) {
        email.sendKeys("ann@example.org");
        driver.findElement(By.xpath(PASSWORD)).sendKeys(password);
        wait.until(ExpectedConditions.elementToBeClickable(button)).click();
        driver.findElement(By.linkText("My account")).click();
        assertEquals("Your account", driver.getTitle());
    }
}
"""

JAVASCRIPT = """// Cypress, and a few steps of selenium-webdriver
const selectors = { email: '#login-email', cart: "#cart-link" };

describe('sign in', () => {
  it('lets Ann in', () => {
    cy.get(selectors.email).type('ann@example.org');
    cy.get(`#login-btn`, { timeout: 10000 }).should('be.visible').click();
    cy.get('footer').find('#newsletter-email').type("ann@example.org");
    cy.get(selectors.cart).first().click();
  });
  it('lets Ann in with Selenium', async () => {
    await driver.findElement(By.css('#login-btn')).click();
    await driver.findElement({ xpath: "//input[@id='login-password']" }).sendKeys('x');
    await driver.findElement(By.linkText('My account')).click();
  });
});
"""

TYPESCRIPT = """import { expect, type Locator, type Page } from '@playwright/test';

enum Selector { Email = '#login-email' }

export class LoginPage {
  readonly password: string = "//input[@id='login-password']";
  readonly button: Locator;

  constructor(private readonly page: Page) {
    this.button = page.getByRole('button', { name: 'Sign in', exact: true });
  }

  async signIn(password: string): Promise<void> {
    await this.page.locator(Selector.Email).fill('ann@example.org');
    await this.page.fill(this.password, password);
    await this.button.click();
    await this.page.getByLabel('Newsletter', { exact: true }).fill('ann@example.org');
    await expect(this.page.locator('#cart-link')).toBeVisible();
  }
}
"""

TSX = """export const Login = () => <a id="cart-link" href="/cart">Cart</a>;
test('signs in', async ({ page }) => {
  await page.locator('#login-btn').click();
});
"""

SUITES = {
    "test_login.py": PYTHON,
    "LoginPage.java": JAVA,
    "login.cy.js": JAVASCRIPT,
    "login-page.ts": TYPESCRIPT,
    "login.test.tsx": TSX,
}

# What its locators are in the shop before the redesign.
BROKEN = [
    ("#login-email", "css"),
    ("#login-btn", "css"),
    ("#cart-link", "css"),
    ("#newsletter-email", "css"),
    ("//input[@id='login-password']", "xpath"),
    ("My account", "link_text"),
    ('button[name="Sign in"]', "role"),
    ("Newsletter", "label"),
]
